package io.github.consullock.annotation;

import java.util.function.Supplier;

import io.github.consullock.CurrentLockHandle;
import io.micrometer.context.ContextSnapshot;
import io.micrometer.context.ContextSnapshotFactory;

/**
 * Of an optional library, so in a class of its own.
 */
final class PropagatedContext implements CallerContext {

	/** The caller's own hold may end before the body does. */
	private static final ContextSnapshotFactory SNAPSHOTS = ContextSnapshotFactory.builder()
		.captureKeyPredicate((key) -> !CurrentLockHandle.CONTEXT_KEY.equals(key))
		.build();

	private final ContextSnapshot snapshot;

	PropagatedContext(Object... contexts) {
		this.snapshot = SNAPSHOTS.captureAll(contexts);
	}

	@Override
	@SuppressWarnings("try") // The scope is closed, not used.
	public AnnotatedHold.Outcome run(Supplier<AnnotatedHold.Outcome> action) {
		try (ContextSnapshot.Scope scope = this.snapshot.setThreadLocals()) {
			return action.get();
		}
		catch (RuntimeException | Error ex) {
			return new AnnotatedHold.Outcome(null, ex);
		}
	}

}
