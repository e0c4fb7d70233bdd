// SPDX-License-Identifier: Apache-2.0
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.Header;
import io.debezium.engine.format.CloudEvents;
import io.debezium.engine.format.Json;
import java.io.FileOutputStream;
import java.io.FileReader;
import java.io.OutputStreamWriter;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Capture FORM PROPERTIES OUT: runs Debezium's engine until the sentinel row (late, 999) has come, and writes each
 * message as a line: FORM kafka as `kcat -J` would, FORM http and http-batch as a receiver of the HTTP sink would.
 * FORM cloudevents is http with Debezium's CloudEvents converter.
 */
public class Capture {
  static String quoted(Object value) {
    if (value == null) return "null";
    StringBuilder out = new StringBuilder("\"");
    for (char c : value.toString().toCharArray()) {
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < 32) out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  static String line(String form, ChangeEvent<?, ?> event, Map<String, Long> offsets) {
    Object key = event.key(), value = event.value();
    if (form.equals("kafka")) {
      StringBuilder headers = new StringBuilder();
      for (Header<?> header : event.headers())
        headers.append(headers.length() == 0 ? "" : ", ").append(quoted(header.getKey())).append(", ").append(quoted(header.getValue()));
      long offset = offsets.merge(event.destination(), 0L, (old, one) -> old + 1);
      return "{\"topic\": " + quoted(event.destination()) + ", \"partition\": 0, \"offset\": " + offset + ", \"headers\": [" + headers
          + "], \"key\": " + quoted(key) + ", \"payload\": " + quoted(value) + "}\n";
    }
    if (value == null) return "";
    return "{\"path\": \"/ingest\", \"headers\": [[\"content-type\", \"application/json\"]], \"body\": " + quoted(value) + "}\n";
  }

  static <K, V> void write(String form, List<ChangeEvent<K, V>> events, DebeziumEngine.RecordCommitter<ChangeEvent<K, V>> committer,
      Writer out, Map<String, Long> offsets, CountDownLatch done) throws Exception {
    StringBuilder batch = new StringBuilder();
    boolean last = false;
    for (ChangeEvent<K, V> event : events) {
      Object value = event.value();
      if (form.equals("http-batch")) {
        if (value != null) batch.append(batch.length() == 0 ? "[" : ",").append(value);
      } else {
        out.write(line(form, event, offsets));
      }
      committer.markProcessed(event);
      last |= value != null && value.toString().contains("SENTINEL");
    }
    if (batch.length() != 0)
      out.write("{\"path\": \"/ingest\", \"headers\": [[\"content-type\", \"application/json\"]], \"body\": " + quoted(batch + "]") + "}\n");
    out.flush();
    committer.markBatchFinished();
    if (last) done.countDown();
  }

  public static void main(String[] arguments) throws Exception {
    String form = arguments[0];
    Properties properties = new Properties();
    try (Reader reader = new FileReader(arguments[1])) {
      properties.load(reader);
    }
    Writer out = new OutputStreamWriter(new FileOutputStream(arguments[2]), StandardCharsets.UTF_8);
    Map<String, Long> offsets = new HashMap<>();
    CountDownLatch done = new CountDownLatch(1);
    DebeziumEngine<?> engine;
    if (form.equals("cloudevents")) {
      engine = DebeziumEngine.create(CloudEvents.class).using(properties).notifying((events, committer) -> {
        try {
          write(form, events, committer, out, offsets, done);
        } catch (Exception e) {
          throw new RuntimeException(e);
        }
      }).build();
    } else {
      engine = DebeziumEngine.create(io.debezium.engine.format.KeyValueHeaderChangeEventFormat.of(Json.class, Json.class, Json.class)).using(properties).notifying((events, committer) -> {
        try {
          write(form, events, committer, out, offsets, done);
        } catch (Exception e) {
          throw new RuntimeException(e);
        }
      }).build();
    }
    ExecutorService executor = Executors.newSingleThreadExecutor();
    executor.execute(engine);
    done.await();
    Thread.sleep(500);
    engine.close();
    out.close();
    executor.shutdownNow();
    System.exit(0);
  }
}
