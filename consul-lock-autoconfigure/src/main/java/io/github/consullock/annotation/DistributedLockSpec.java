package io.github.consullock.annotation;

import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

/**
 * What {@link DistributedLock @DistributedLock} asks for one method, resolved and
 * checked.
 *
 * @param method the method as error messages name it
 * @param keys the key or keys
 * @param terms on what terms the lock is held
 * @param skippedResult what a call returns that did not get the lock, or {@code null} if
 * it is not skipped
 * @param fallback what is called in place of a body that did not get the lock, or
 * {@code null}
 * @param handleParameter where the body receives its hold, or {@code null}
 * @param onLost what happens to the body when the lock is lost
 * @param registry the qualifier or name of the registry, or empty
 * @param checkResult whether the declared return type leaves open that what the body
 * returns ends later
 * @param execution how it runs under its lock
 */
record DistributedLockSpec(String method, LockKeys keys, LockTerms terms,
		@Nullable Supplier<@Nullable Object> skippedResult, @Nullable Fallback fallback,
		@Nullable HandleParameter handleParameter, LossPolicy onLost, String registry, boolean checkResult,
		LockedExecution execution) {

}
