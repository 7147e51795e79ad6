import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from './readiness.ts';

// kafkajs asks any node of a cluster, and finds them by the addresses that they advertise: a proxy, perhaps a broken
// one. Whether this one node is back, only a connection to its own port can tell.

const readyWithinMs = 120_000;
const betweenTriesMs = 100;
const answerWithinMs = 2_000;
const answerBytesMax = 65_536;
const clientId = 'plimsoll-stack';

/** Resolves when the node at this loopback port lists itself among the brokers that serve clients. */
export async function kafkaNodeAnswers(port: number, nodeId: number): Promise<void> {
  const work = new AbortController();
  const asking = async (): Promise<void> => {
    while (!work.signal.aborted) {
      const listed = await brokersAt(port).catch((): readonly number[] => []);
      if (listed.includes(nodeId)) return;
      await sleep(betweenTriesMs);
    }
  };
  try {
    await within(readyWithinMs, `Kafka node ${nodeId} at 127.0.0.1:${port}`, asking());
  } finally {
    work.abort();
  }
}

/** The ids of the brokers that this node believes alive. */
async function brokersAt(port: number): Promise<readonly number[]> {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(answerWithinMs, () => socket.destroy(new Error('no answer')));
  try {
    socket.write(metadataRequest());
    let answer = Buffer.alloc(0);
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      answer = Buffer.concat([answer, bytes]);
      if (answer.length > answerBytesMax) break;
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0))
        return brokerIds(answer);
    }
    return [];
  } finally {
    socket.destroy();
  }
}

/** Metadata request, version 1, for no topics: https://kafka.apache.org/43/protocol.html#The_Messages_Metadata */
function metadataRequest(): Buffer {
  const apiKey = 3;
  const name = Buffer.from(clientId);
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + name.length + 4);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(apiKey, 4);
  request.writeInt16BE(1, 6);
  request.writeInt16BE(name.length, 12);
  name.copy(request, 14);
  return request;
}

/** Behind size and correlation id: an array of (node id, host, port, rack or null). */
function brokerIds(answer: Buffer): readonly number[] {
  const ids: number[] = [];
  let at = 8;
  const count = answer.readInt32BE(at);
  at += 4;
  for (let broker = 0; broker < count; broker += 1) {
    ids.push(answer.readInt32BE(at));
    at += 4;
    at += 2 + answer.readInt16BE(at) + 4;
    at += 2 + Math.max(0, answer.readInt16BE(at));
  }
  return ids;
}
