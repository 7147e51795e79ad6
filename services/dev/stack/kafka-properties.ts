/** The loopback ports of one node. */
export type KafkaPorts = {
  readonly nodeId: number;
  /** Where clients are listened for. */
  readonly client: number;
  /** What clients are told; differs from `client` where a proxy stands in front. */
  readonly advertised: number;
  /** Where the other brokers connect. */
  readonly inside: number;
  readonly controller: number;
};

/** server.properties of one node among `all`. Every node is broker and controller. */
export function kafkaProperties(
  own: KafkaPorts,
  all: readonly KafkaPorts[],
  dataFolder: string,
): string {
  const alone = all.length === 1;
  const copies = alone ? 1 : 3;
  const inSync = alone ? 1 : 2;
  const listeners = { OUTSIDE: own.client, INSIDE: own.inside, CONTROLLER: own.controller };
  const advertised = { OUTSIDE: own.advertised, INSIDE: own.inside };
  const addresses = (ports: Readonly<Record<string, number>>): string =>
    Object.entries(ports)
      .map(([name, port]) => `${name}://127.0.0.1:${port}`)
      .join(',');
  return [
    'process.roles=broker,controller',
    `node.id=${own.nodeId}`,
    alone
      ? `controller.quorum.bootstrap.servers=127.0.0.1:${own.controller}`
      : `controller.quorum.voters=${all.map((each) => `${each.nodeId}@127.0.0.1:${each.controller}`).join(',')}`,
    `listeners=${addresses(listeners)}`,
    `advertised.listeners=${addresses(advertised)}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT',
    'inter.broker.listener.name=INSIDE',
    `log.dirs=${dataFolder}`,
    // On one broker the coordinators would never come up with the default of three copies.
    `default.replication.factor=${copies}`,
    `min.insync.replicas=${inSync}`,
    `offsets.topic.replication.factor=${copies}`,
    `transaction.state.log.replication.factor=${copies}`,
    `transaction.state.log.min.isr=${inSync}`,
    `share.coordinator.state.topic.replication.factor=${copies}`,
    `share.coordinator.state.topic.min.isr=${inSync}`,
    'offsets.topic.num.partitions=4',
    'group.initial.rebalance.delay.ms=0',
    // Tests of faults need not wait for the 6 s that Kafka asks of a group's members at least.
    'group.min.session.timeout.ms=500',
    // After kill -9 the controller takes the broker back only when its last session is over; the default is 9 s.
    'broker.session.timeout.ms=3000',
    'broker.heartbeat.interval.ms=500',
    ...(alone
      ? []
      : ['controller.quorum.election.timeout.ms=500', 'controller.quorum.fetch.timeout.ms=1000']),
    // We create our topics with settings that matter; a typing error must not make another.
    'auto.create.topics.enable=false',
    '',
  ].join('\n');
}
