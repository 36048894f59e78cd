package io.github.consullock;

import java.time.Instant;

import org.jspecify.annotations.Nullable;

/**
 * Who holds a lock, as its entry in Consul says. What a holder of another program, or one
 * with a {@linkplain LockOptions#value() value of its own}, does not say, is
 * {@code null}.
 *
 * @param session the id of the session that holds it: whoever knows it can end the
 * session, so do not show it to those who may not
 * @param instance the name of the instance
 * @param host the name of the machine
 * @param pid the process id
 * @param since when it was acquired, by the holder's clock
 * @param value all that the entry holds, as text
 * @since 0.1.0
 */
public record LockHolder(String session, @Nullable String instance, @Nullable String host, @Nullable Long pid,
		@Nullable Instant since, String value) {

	/** Of the characters of a session's id. */
	private static final int SHOWN = 8;

	/** Without the value, and of the session's id only what tells it from others. */
	@Override
	public String toString() {
		return "LockHolder[session=" + shown(this.session) + ", instance=" + this.instance + ", host=" + this.host
				+ ", pid=" + this.pid + ", since=" + this.since + "]";
	}

	private static String shown(String session) {
		return (session.length() > SHOWN) ? session.substring(0, SHOWN) + "..." : session;
	}

}
