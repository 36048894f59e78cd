package io.github.consullock.consul;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.KvOperation.Verb;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes and reads Consul's JSON. What it cannot read ends in a {@code JacksonException}
 * or an {@code IllegalArgumentException}.
 */
final class ConsulJson {

	private static final JsonMapper MAPPER = JsonMapper.builder().build();

	private ConsulJson() {
	}

	/**
	 * A failed operation in Consul's words.
	 */
	record TxnError(int operation, String what) {
	}

	static String session(SessionRequest request) {
		ObjectNode json = MAPPER.createObjectNode();
		json.put("Name", request.name());
		json.put("TTL", GoDuration.format(request.ttl()));
		json.put("LockDelay", GoDuration.format(request.lockDelay()));
		json.put("Behavior", request.behavior().name().toLowerCase(Locale.ROOT));
		// Left out, it would mean serfHealth.
		ArrayNode nodeChecks = json.putArray("NodeChecks");
		request.nodeChecks().forEach(nodeChecks::add);
		if (!request.serviceChecks().isEmpty()) {
			ArrayNode serviceChecks = json.putArray("ServiceChecks");
			request.serviceChecks().forEach((id) -> serviceChecks.addObject().put("ID", id));
		}
		return json.toString();
	}

	static String sessionId(String body) {
		return MAPPER.readTree(body).required("ID").stringValue();
	}

	static RenewalOutcome.Renewed renewed(String body) {
		JsonNode session = MAPPER.readTree(body).required(0);
		return new RenewalOutcome.Renewed(ttl(session), lockDelay(session));
	}

	/**
	 * A session of an answer that lists it, or nothing.
	 */
	static Optional<SessionInfo> sessionInfo(String body) {
		JsonNode array = array(body);
		if (array.isEmpty()) {
			return Optional.empty();
		}
		JsonNode session = array.required(0);
		return Optional.of(new SessionInfo(session.required("ID").stringValue(), text(session.get("Name")),
				ttl(session), lockDelay(session),
				"delete".equals(text(session.get("Behavior"))) ? SessionBehavior.DELETE : SessionBehavior.RELEASE));
	}

	private static Duration ttl(JsonNode session) {
		return GoDuration.parse(text(session.get("TTL")));
	}

	private static Duration lockDelay(JsonNode session) {
		JsonNode lockDelay = session.get("LockDelay");
		return Duration.ofNanos((lockDelay != null) ? lockDelay.longValue() : 0);
	}

	private static String text(@Nullable JsonNode text) {
		return (text == null || text.isNull()) ? "" : text.stringValue();
	}

	private static JsonNode array(String body) {
		JsonNode array = MAPPER.readTree(body);
		if (!array.isArray()) {
			throw new IllegalArgumentException("Not an array");
		}
		return array;
	}

	static int size(String body) {
		return array(body).size();
	}

	static List<KvEntry> entries(String body) {
		JsonNode array = array(body);
		List<KvEntry> entries = new ArrayList<>(array.size());
		array.forEach((entry) -> entries.add(entry(entry)));
		return entries;
	}

	/**
	 * A transaction; each operation names its namespace and partition by itself.
	 */
	static String transaction(List<KvOperation> operations, ConsulScope scope) {
		ArrayNode json = MAPPER.createArrayNode();
		for (KvOperation operation : operations) {
			ObjectNode kv = json.addObject().putObject("KV");
			kv.put("Verb", operation.verb().name().toLowerCase(Locale.ROOT).replace('_', '-'));
			kv.put("Key", operation.key());
			if (operation.value() != null) {
				kv.put("Value", Base64.getEncoder().encodeToString(operation.value().getBytes(StandardCharsets.UTF_8)));
			}
			if (operation.flags() != 0) {
				kv.put("Flags", new BigInteger(Long.toUnsignedString(operation.flags())));
			}
			if (operation.verb() == Verb.CHECK_INDEX || operation.verb() == Verb.DELETE_CAS) {
				kv.put("Index", operation.index());
			}
			if (operation.session() != null) {
				kv.put("Session", operation.session());
			}
			if (scope.namespace() != null) {
				kv.put("Namespace", scope.namespace());
			}
			if (scope.partition() != null) {
				kv.put("Partition", scope.partition());
			}
		}
		return json.toString();
	}

	static List<KvEntry> results(String body) {
		List<KvEntry> entries = new ArrayList<>();
		JsonNode results = MAPPER.readTree(body).required("Results");
		results.forEach((result) -> entries.add(entry(result.required("KV"))));
		return entries;
	}

	static List<TxnError> errors(String body) {
		List<TxnError> errors = new ArrayList<>();
		MAPPER.readTree(body)
			.required("Errors")
			.forEach((error) -> errors
				.add(new TxnError(error.required("OpIndex").intValue(), error.required("What").stringValue())));
		if (errors.isEmpty()) {
			throw new IllegalArgumentException("No errors");
		}
		return errors;
	}

	private static KvEntry entry(JsonNode json) {
		return new KvEntry(json.required("Key").stringValue(), value(json.get("Value")), unsigned(json.get("Flags")),
				session(json.get("Session")), unsigned(json.required("CreateIndex")),
				unsigned(json.required("ModifyIndex")));
	}

	private static String value(@Nullable JsonNode value) {
		return (value == null || value.isNull()) ? ""
				: new String(Base64.getDecoder().decode(value.stringValue()), StandardCharsets.UTF_8);
	}

	private static @Nullable String session(@Nullable JsonNode session) {
		String id = text(session);
		return id.isEmpty() ? null : id;
	}

	private static long unsigned(@Nullable JsonNode number) {
		return (number == null) ? 0 : number.bigIntegerValue().longValue();
	}

}
