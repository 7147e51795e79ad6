import com.sun.management.OperatingSystemMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * What a team would write with Kafka Streams for the heart of what the projector does: each marker once, by its id,
 * and one row a deployment. No signatures, no slots, no timeline, no dead letters. State lies in RocksDB with a
 * changelog topic, as Kafka Streams has it unless told otherwise.
 *
 * Arguments: brokers, topic, application id, state folder, processing guarantee, and a file with one line a schema:
 * digest, tab, schema. At the end of the topic it prints one line of JSON; times and CPU count from the first record.
 */
public final class DedupeAndMaterialise {
  private static final Schema ROW =
      SchemaBuilder.record("Row").fields()
          .requiredString("status").requiredLong("at").requiredLong("position")
          .optionalString("environment").optionalString("component").optionalString("version")
          .optionalString("actor").optionalString("commit")
          .optionalLong("startedAt").optionalLong("endedAt")
          .endRecord();

  public static void main(String[] arguments) throws Exception {
    String brokers = arguments[0];
    String topic = arguments[1];
    long end = endOf(brokers, topic);
    Map<String, GenericDatumReader<GenericRecord>> readers = readers(Path.of(arguments[5]));
    Run run = new Run(end);

    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[2]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[3]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments[4]);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");

    Topology topology = new Topology();
    topology.addSource("log", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), topic);
    topology.addProcessor("fold", () -> new Fold(readers, run), "log");
    topology.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("seen"), Serdes.String(), Serdes.Long())
            .withCachingEnabled(),
        "fold");
    topology.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("rows"), Serdes.String(), Serdes.ByteArray())
            .withCachingEnabled(),
        "fold");
    KafkaStreams streams = new KafkaStreams(topology, settings);
    streams.setUncaughtExceptionHandler(
        fault -> {
          fault.printStackTrace();
          // Closing would wait for threads that are gone.
          Runtime.getRuntime().halt(1);
          return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
    streams.start();
    run.over.await();
    // Closing flushes and commits: only then everything is materialised.
    streams.close();
    System.out.println(run.result());
    // Whoever started us looks at our memory, and ends us.
    Thread.sleep(Long.MAX_VALUE);
  }

  private static final class Run {
    private final long end;
    private final CountDownLatch over = new CountDownLatch(1);
    private final OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private long startedNs;
    private long cpuBeforeNs;
    private long records;
    private long kept;

    Run(long end) {
      this.end = end;
    }

    void began() {
      if (records++ > 0) return;
      startedNs = System.nanoTime();
      cpuBeforeNs = system.getProcessCpuTime();
    }

    void did(long offset, boolean isNew) {
      if (isNew) kept++;
      if (offset >= end - 1) over.countDown();
    }

    String result() {
      double wallMs = (System.nanoTime() - startedNs) / 1e6;
      double cpuMs = (system.getProcessCpuTime() - cpuBeforeNs) / 1e6;
      return String.format(
          java.util.Locale.ROOT,
          "{\"records\":%d,\"kept\":%d,\"wallMs\":%.1f,\"cpuMs\":%.1f}",
          records, kept, wallMs, cpuMs);
    }
  }

  private static final class Fold implements Processor<byte[], byte[], Void, Void> {
    private final Map<String, GenericDatumReader<GenericRecord>> readers;
    private final Run run;
    private final GenericDatumReader<GenericRecord> rowReader = new GenericDatumReader<>(ROW);
    private final GenericDatumWriter<GenericRecord> rowWriter = new GenericDatumWriter<>(ROW);
    private ProcessorContext<Void, Void> context;
    private KeyValueStore<String, Long> seen;
    private KeyValueStore<String, byte[]> rows;
    private BinaryDecoder decoder;
    private BinaryEncoder encoder;

    Fold(Map<String, GenericDatumReader<GenericRecord>> readers, Run run) {
      this.readers = readers;
      this.run = run;
    }

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      this.context = context;
      seen = context.getStateStore("seen");
      rows = context.getStateStore("rows");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      run.began();
      long position = context.recordMetadata().orElseThrow().offset();
      boolean isNew = seen.putIfAbsent(header(record, "ce_id"), position) == null;
      GenericDatumReader<GenericRecord> reader = readers.get(header(record, "plimsoll-schema"));
      if (isNew && reader != null) {
        try {
          apply(reader, record.value(), position);
        } catch (IOException fault) {
          throw new UncheckedIOException(fault);
        }
      }
      run.did(position, isNew);
    }

    private void apply(GenericDatumReader<GenericRecord> reader, byte[] value, long position)
        throws IOException {
      decoder = DecoderFactory.get().binaryDecoder(value, decoder);
      GenericRecord marker = reader.read(null, decoder);
      // Keys and operations are about no deployment.
      if (!marker.hasField("deployment") || marker.get("deployment") == null) return;
      String deployment = marker.get("deployment").toString();
      byte[] before = rows.get(deployment);
      GenericRecord row = before == null ? new GenericData.Record(ROW) : rowOf(before);
      String kind = marker.get("kind").toString();
      long at = (Long) marker.get("occurredAt");
      row.put("status", kind);
      row.put("at", at);
      row.put("position", position);
      if (marker.hasField("version")) row.put("version", textOf(marker.get("version")));
      if (marker.get("slot") instanceof GenericRecord slot) {
        row.put("environment", textOf(slot.get("environment")));
        row.put("component", textOf(slot.get("component")));
      }
      if (marker.get("details") instanceof GenericRecord details) {
        if (details.get("actor") != null) row.put("actor", textOf(details.get("actor")));
        if (details.get("commit") != null) row.put("commit", textOf(details.get("commit")));
      }
      if (kind.equals("started")) row.put("startedAt", at);
      if (List.of("succeeded", "failed", "canceled").contains(kind)) row.put("endedAt", at);
      rows.put(deployment, bytesOf(row));
    }

    private GenericRecord rowOf(byte[] bytes) throws IOException {
      decoder = DecoderFactory.get().binaryDecoder(bytes, decoder);
      return rowReader.read(null, decoder);
    }

    private byte[] bytesOf(GenericRecord row) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
      encoder = EncoderFactory.get().binaryEncoder(bytes, encoder);
      rowWriter.write(row, encoder);
      encoder.flush();
      return bytes.toByteArray();
    }

    private static String textOf(Object value) {
      return value == null ? null : value.toString();
    }

    private static String header(Record<byte[], byte[]> record, String name) {
      Header header = record.headers().lastHeader(name);
      return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }
  }

  private static long endOf(String brokers, String topic) {
    Properties settings = new Properties();
    settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    TopicPartition partition = new TopicPartition(topic, 0);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      return consumer.endOffsets(List.of(partition)).get(partition);
    }
  }

  private static Map<String, GenericDatumReader<GenericRecord>> readers(Path file)
      throws IOException {
    Map<String, GenericDatumReader<GenericRecord>> readers = new HashMap<>();
    for (String line : Files.readAllLines(file)) {
      String[] parts = line.split("\t", 2);
      readers.put(parts[0], new GenericDatumReader<>(new Schema.Parser().parse(parts[1])));
    }
    return readers;
  }
}
