package io.github.consullock.lock;

import java.util.Objects;

import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulScope;
import io.github.consullock.session.SessionSettings;
import org.jspecify.annotations.Nullable;

/**
 * Where locks are, and which session holds them: those of which both are the same share
 * an engine.
 *
 * @param scope the datacenter, namespace and partition
 * @param session how the session is made
 * @param borrowed the id of the caller's own session, which takes its place, or
 * {@code null}
 */
record EngineSpec(ConsulScope scope, SessionSettings session, @Nullable String borrowed) {

	/**
	 * What the options of a lock ask for.
	 * @param usual what holds where they say nothing
	 * @throws IllegalArgumentException if that makes no session
	 */
	static EngineSpec of(LockOptions options, EngineSpec usual) {
		return asksForNothing(options) ? usual : asked(options, usual.session());
	}

	private static boolean asksForNothing(LockOptions options) {
		return options.datacenter() == null && options.namespace() == null && options.partition() == null
				&& options.sessionName() == null && options.ttl() == null && options.lockDelay() == null
				&& options.behavior() == null && options.nodeChecks() == null && options.serviceChecks() == null
				&& options.session() == null;
	}

	private static EngineSpec asked(LockOptions options, SessionSettings defaults) {
		ConsulScope scope = new ConsulScope(options.datacenter(), options.namespace(), options.partition());
		SessionSettings session = new SessionSettings(or(options.sessionName(), defaults.name()),
				or(options.ttl(), defaults.ttl()), or(options.lockDelay(), defaults.lockDelay()),
				or(options.behavior(), defaults.behavior()), or(options.nodeChecks(), defaults.nodeChecks()),
				or(options.serviceChecks(), defaults.serviceChecks()), defaults.safetyMargin(), defaults.allowUnsafe());
		return new EngineSpec(scope, session, options.session());
	}

	private static <T> T or(@Nullable T wanted, T otherwise) {
		return Objects.requireNonNullElse(wanted, otherwise);
	}

}
