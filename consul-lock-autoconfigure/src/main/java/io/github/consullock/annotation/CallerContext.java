package io.github.consullock.annotation;

import java.util.function.Supplier;

import org.springframework.util.ClassUtils;

/**
 * What a caller has set for its thread, to be there too where the body starts. Nothing
 * without Micrometer's context propagation.
 */
interface CallerContext {

	/**
	 * Runs an action with the context of the caller.
	 * @param action what to run
	 * @return how it ended; that the context could not be set included
	 */
	AnnotatedHold.Outcome run(Supplier<AnnotatedHold.Outcome> action);

	/**
	 * Captures the context of the calling thread.
	 * @param contexts further ones, such as that of Reactor, which come first
	 * @return what was captured
	 */
	static CallerContext capture(Object... contexts) {
		return Presence.CONTEXT_PROPAGATION ? new PropagatedContext(contexts) : Supplier::get;
	}

	/** Told once. */
	final class Presence {

		private static final boolean CONTEXT_PROPAGATION = ClassUtils
			.isPresent("io.micrometer.context.ContextSnapshotFactory", CallerContext.class.getClassLoader());

		private Presence() {
		}

	}

}
