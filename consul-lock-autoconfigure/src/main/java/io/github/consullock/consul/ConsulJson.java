package io.github.consullock.consul;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.KvOperation.Verb;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes and reads Consul's JSON, without a tree between it and the records: every
 * acquire and release comes through here. What it cannot read ends in a
 * {@code JacksonException} or an {@code IllegalArgumentException}.
 */
final class ConsulJson {

	private static final JsonFactory JSON = new JsonFactory();

	/** Room for a transaction of a lock with one key. */
	private static final int USUAL_SIZE = 512;

	private ConsulJson() {
	}

	/**
	 * A failed operation in Consul's words.
	 */
	record TxnError(int operation, String what) {
	}

	static byte[] session(SessionRequest request) {
		return write((json) -> {
			json.writeStartObject();
			json.writeStringProperty("Name", request.name());
			json.writeStringProperty("TTL", GoDuration.format(request.ttl()));
			json.writeStringProperty("LockDelay", GoDuration.format(request.lockDelay()));
			json.writeStringProperty("Behavior", request.behavior().name().toLowerCase(Locale.ROOT));
			// Left out, it would mean serfHealth.
			json.writeArrayPropertyStart("NodeChecks");
			request.nodeChecks().forEach(json::writeString);
			json.writeEndArray();
			if (!request.serviceChecks().isEmpty()) {
				json.writeArrayPropertyStart("ServiceChecks");
				request.serviceChecks()
					.forEach((id) -> json.writeStartObject().writeStringProperty("ID", id).writeEndObject());
				json.writeEndArray();
			}
			json.writeEndObject();
		});
	}

	/**
	 * A transaction; each operation names its namespace and partition by itself.
	 */
	static byte[] transaction(List<KvOperation> operations, ConsulScope scope) {
		return write((json) -> {
			json.writeStartArray();
			for (KvOperation operation : operations) {
				json.writeStartObject().writeObjectPropertyStart("KV");
				write(json, operation, scope);
				json.writeEndObject().writeEndObject();
			}
			json.writeEndArray();
		});
	}

	private static void write(JsonGenerator json, KvOperation operation, ConsulScope scope) {
		json.writeStringProperty("Verb", operation.verb().text());
		json.writeStringProperty("Key", operation.key());
		if (operation.value() != null) {
			json.writeBinaryProperty("Value", operation.value().getBytes(StandardCharsets.UTF_8));
		}
		if (operation.flags() != 0) {
			json.writeName("Flags").writeNumber(Long.toUnsignedString(operation.flags()));
		}
		if (operation.verb() == Verb.CHECK_INDEX || operation.verb() == Verb.DELETE_CAS) {
			json.writeName("Index").writeNumber(Long.toUnsignedString(operation.index()));
		}
		if (operation.session() != null) {
			json.writeStringProperty("Session", operation.session());
		}
		if (scope.namespace() != null) {
			json.writeStringProperty("Namespace", scope.namespace());
		}
		if (scope.partition() != null) {
			json.writeStringProperty("Partition", scope.partition());
		}
	}

	private static byte[] write(Consumer<JsonGenerator> content) {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream(USUAL_SIZE);
		try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
			content.accept(json);
		}
		return bytes.toByteArray();
	}

	static String sessionId(byte[] body) {
		return read(body, (json) -> field(json, "ID", ConsulJson::text));
	}

	static RenewalOutcome.Renewed renewed(byte[] body) {
		List<SessionInfo> sessions = sessions(body);
		if (sessions.isEmpty()) {
			throw new IllegalArgumentException("No session");
		}
		return new RenewalOutcome.Renewed(sessions.get(0).ttl(), sessions.get(0).lockDelay());
	}

	/**
	 * A session of an answer that lists it, or nothing.
	 */
	static Optional<SessionInfo> sessionInfo(byte[] body) {
		Optional<SessionInfo> session = sessions(body).stream().findFirst();
		if (session.isPresent() && session.get().id().isEmpty()) {
			throw missing("ID");
		}
		return session;
	}

	private static List<SessionInfo> sessions(byte[] body) {
		return read(body, (json) -> list(json, ConsulJson::session));
	}

	static int size(byte[] body) {
		return read(body, (json) -> list(json, JsonParser::skipChildren)).size();
	}

	static List<KvEntry> entries(byte[] body) {
		return read(body, (json) -> list(json, ConsulJson::entry));
	}

	/**
	 * The entries that a transaction left; it has none if it only deleted.
	 */
	static List<KvEntry> results(byte[] body) {
		return read(body, (json) -> field(json, "Results", (results) -> results.hasToken(JsonToken.VALUE_NULL)
				? List.of() : list(results, (result) -> field(result, "KV", ConsulJson::entry))));
	}

	static List<TxnError> errors(byte[] body) {
		List<TxnError> errors = read(body, (json) -> field(json, "Errors", (array) -> list(array, ConsulJson::error)));
		if (errors.isEmpty()) {
			throw new IllegalArgumentException("No errors");
		}
		return errors;
	}

	private static KvEntry entry(JsonParser json) {
		String key = null;
		String value = "";
		long flags = 0;
		String session = "";
		Long createIndex = null;
		Long modifyIndex = null;
		expect(json, JsonToken.START_OBJECT);
		for (String name = json.nextName(); name != null; name = json.nextName()) {
			json.nextToken();
			switch (name) {
				case "Key" -> key = text(json);
				case "Value" -> value = value(json);
				case "Flags" -> flags = unsigned(json);
				case "Session" -> session = textOrNull(json);
				case "CreateIndex" -> createIndex = unsigned(json);
				case "ModifyIndex" -> modifyIndex = unsigned(json);
				default -> json.skipChildren();
			}
		}
		return new KvEntry(present("Key", key), value, flags, session.isEmpty() ? null : session,
				present("CreateIndex", createIndex), present("ModifyIndex", modifyIndex));
	}

	private static SessionInfo session(JsonParser json) {
		String id = "";
		String name = "";
		String ttl = "";
		long lockDelay = 0;
		String behavior = "";
		expect(json, JsonToken.START_OBJECT);
		for (String field = json.nextName(); field != null; field = json.nextName()) {
			json.nextToken();
			switch (field) {
				case "ID" -> id = text(json);
				case "Name" -> name = textOrNull(json);
				case "TTL" -> ttl = textOrNull(json);
				case "LockDelay" -> lockDelay = unsigned(json);
				case "Behavior" -> behavior = textOrNull(json);
				default -> json.skipChildren();
			}
		}
		return new SessionInfo(id, name, GoDuration.parse(ttl), Duration.ofNanos(lockDelay),
				"delete".equals(behavior) ? SessionBehavior.DELETE : SessionBehavior.RELEASE);
	}

	private static TxnError error(JsonParser json) {
		Integer operation = null;
		String what = null;
		expect(json, JsonToken.START_OBJECT);
		for (String name = json.nextName(); name != null; name = json.nextName()) {
			json.nextToken();
			switch (name) {
				case "OpIndex" -> operation = integer(json);
				case "What" -> what = text(json);
				default -> json.skipChildren();
			}
		}
		return new TxnError(present("OpIndex", operation), present("What", what));
	}

	private static <T> T read(byte[] body, Function<JsonParser, T> reader) {
		try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), body)) {
			json.nextToken();
			T result = reader.apply(json);
			if (json.nextToken() != null) {
				throw new IllegalArgumentException("More than one value");
			}
			return result;
		}
	}

	private static <T> List<T> list(JsonParser json, Function<JsonParser, T> element) {
		expect(json, JsonToken.START_ARRAY);
		List<T> list = new ArrayList<>(4);
		while (json.nextToken() != JsonToken.END_ARRAY) {
			list.add(element.apply(json));
		}
		return list;
	}

	/** The only field of interest of an object. */
	private static <T> T field(JsonParser json, String wanted, Function<JsonParser, T> value) {
		T found = null;
		expect(json, JsonToken.START_OBJECT);
		for (String name = json.nextName(); name != null; name = json.nextName()) {
			json.nextToken();
			if (name.equals(wanted)) {
				found = value.apply(json);
			}
			else {
				json.skipChildren();
			}
		}
		return present(wanted, found);
	}

	private static String value(JsonParser json) {
		return json.hasToken(JsonToken.VALUE_NULL) ? "" : new String(json.getBinaryValue(), StandardCharsets.UTF_8);
	}

	private static String textOrNull(JsonParser json) {
		return json.hasToken(JsonToken.VALUE_NULL) ? "" : text(json);
	}

	private static String text(JsonParser json) {
		expect(json, JsonToken.VALUE_STRING);
		return json.getString();
	}

	private static int integer(JsonParser json) {
		expect(json, JsonToken.VALUE_NUMBER_INT);
		return json.getIntValue();
	}

	private static long unsigned(JsonParser json) {
		expect(json, JsonToken.VALUE_NUMBER_INT);
		return Long.parseUnsignedLong(json.getString());
	}

	private static void expect(JsonParser json, JsonToken expected) {
		if (!json.hasToken(expected)) {
			throw new IllegalArgumentException(json.currentToken() + " instead of " + expected);
		}
	}

	private static <T> T present(String field, @Nullable T value) {
		if (value == null) {
			throw missing(field);
		}
		return value;
	}

	private static IllegalArgumentException missing(String field) {
		return new IllegalArgumentException("No " + field);
	}

}
