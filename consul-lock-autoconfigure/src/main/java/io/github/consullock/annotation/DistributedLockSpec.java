package io.github.consullock.annotation;

import java.time.Duration;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

/**
 * What {@link DistributedLock @DistributedLock} asks for one method, resolved and
 * checked.
 *
 * @param method the method as error messages name it
 * @param key the key
 * @param waitTime how long to wait, or {@code null} for the registry's wait time
 * @param skippedResult what a call returns that did not get the lock, or {@code null} if
 * it throws
 * @param onLost what happens to the body when the lock is lost
 * @param registry the qualifier or name of the registry, or empty
 * @param checkResult whether the declared return type leaves open that what the body
 * returns ends later
 * @param execution how it runs under its lock
 */
record DistributedLockSpec(String method, KeyTemplate key, @Nullable Duration waitTime,
		@Nullable Supplier<@Nullable Object> skippedResult, LossPolicy onLost, String registry, boolean checkResult,
		LockedExecution execution) {

}
