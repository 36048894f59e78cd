package io.github.consullock.lock;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.function.Supplier;

import io.github.consullock.LockHolder;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.LogText;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.util.function.SingletonSupplier;

/**
 * What a lock's entry says of its holder, as JSON: written by this registry, read of
 * everybody's.
 */
final class HolderDescription {

	private static final int SHOWN = 200;

	private static final String SINCE = ",\"since\":\"";

	/** Found out when first needed: the name of the host may have to be looked up. */
	private final Supplier<String> unchanging;

	HolderDescription(String instanceName) {
		this.unchanging = SingletonSupplier.of(() -> {
			String json = JsonMapper.shared()
				.writeValueAsString(new Unchanging(instanceName, hostName(), ProcessHandle.current().pid()));
			return json.substring(0, json.length() - 1);
		});
	}

	/** The value of an entry that is acquired now. */
	String now() {
		return this.unchanging.get() + sinceNow();
	}

	/** Fine enough to be another one for the next holder. */
	private static String sinceNow() {
		return SINCE + Instant.now().truncatedTo(ChronoUnit.MICROS) + "\"}";
	}

	/**
	 * The value of an entry that is handed to somebody now.
	 * @param waiting what it was to be when that one began to wait; its own, if it is no
	 * description of ours
	 */
	static String handedOver(String waiting) {
		int since = waiting.lastIndexOf(SINCE);
		return (since > 0 && waiting.endsWith("\"}") && waiting.startsWith("{\"instance\":"))
				? waiting.substring(0, since) + sinceNow() : waiting;
	}

	private static String hostName() {
		try {
			return InetAddress.getLocalHost().getHostName();
		}
		catch (UnknownHostException ex) {
			return "unknown";
		}
	}

	/** An entry's holder, in one line. */
	static String of(KvEntry entry) {
		String value = entry.value();
		String holder = (value.length() > SHOWN) ? value.substring(0, SHOWN) + "..." : value;
		return (holder.isBlank() ? "a holder without a description" : LogText.onOneLine(holder)) + " (session "
				+ LogText.withoutIds(String.valueOf(entry.session())) + ")";
	}

	/** The holder that an entry shows; what it does not say is null. */
	static LockHolder read(KvEntry entry) {
		Written written = parse(entry.value());
		String session = (entry.session() != null) ? entry.session() : "";
		return new LockHolder(session, written.instance(), written.host(), written.pid(), written.instant(),
				entry.value());
	}

	private static Written parse(String value) {
		try {
			Written written = value.startsWith("{") ? JsonMapper.shared().readValue(value, Written.class) : null;
			return (written != null) ? written : Written.NOTHING;
		}
		catch (JacksonException ex) {
			return Written.NOTHING;
		}
	}

	private record Unchanging(String instance, String host, long pid) {
	}

	private record Written(@Nullable String instance, @Nullable String host, @Nullable Long pid,
			@Nullable String since) {

		private static final Written NOTHING = new Written(null, null, null, null);

		private @Nullable Instant instant() {
			try {
				return (this.since != null) ? Instant.parse(this.since) : null;
			}
			catch (DateTimeParseException ex) {
				return null;
			}
		}

	}

}
