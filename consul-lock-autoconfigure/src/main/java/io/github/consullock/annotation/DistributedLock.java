package io.github.consullock.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.core.annotation.AliasFor;

/**
 * Runs a method under a distributed lock on a key in Consul: its body runs in at most one
 * process at a time, and is cancelled when the lock is lost.
 *
 * <pre class="code">
 * &#064;DistributedLock("orders/#{#id}")
 * public void ship(long id) { ... }
 * </pre>
 * <p>
 * On a class it applies to the class's public methods, except those declared by
 * {@code Object}; an annotation on a method wins over that on its class. It may be used
 * as a meta-annotation, with its attributes renamed by {@link AliasFor @AliasFor}.
 * <p>
 * The lock is taken around the body and around its transaction, so that it is released
 * after the commit; inside of {@code @Async} and {@code @Retryable}, so that every retry
 * locks again; and inside of method security and validation, so that a call which is
 * refused takes no lock.
 * <p>
 * A call made by a thread that already runs under the same key of the same registry, in
 * this or another annotated method, joins that hold: it neither acquires nor releases,
 * and the wait time, {@link #holdAtLeast()} and {@link #maxHold()} are those of the
 * method that acquired. So does a call all of whose {@link #keys()} one hold covers; one
 * that needs further keys beside those is refused. With a {@link #limit()}, a call joins
 * a hold of the same limit.
 * <p>
 * A lock that is acquired on a thread on which a transaction is active already is not
 * released before that has completed; until then calls of the same key on that thread
 * join it. See {@link ActiveTransactionPolicy}. That is not so of a method whose work
 * ends later than it returns, see below.
 * <p>
 * The body finds its hold, and with it the fencing token, in
 * {@link io.github.consullock.LockHandle#current()}, or receives it by a parameter of the
 * type {@code @Nullable LockHandle}, in any position: callers pass {@code null} there,
 * and each call of the body, each retry too, gets the handle of its own hold. Where a
 * framework calls the method and would not know what to pass, as for a controller or a
 * listener, {@code LockHandle.current()} serves.
 * <p>
 * A call throws, all unchecked:
 * <ul>
 * <li>{@link io.github.consullock.LockNotAcquiredException} if the lock was not to be had
 * within the {@linkplain #waitTime() wait time}</li>
 * <li>{@link io.github.consullock.LockLostException} if the lock was lost before the body
 * ended, see {@link #onLost()}</li>
 * <li>{@link io.github.consullock.LockInterruptedException} if the thread was interrupted
 * while it waited; its interrupt flag is set</li>
 * <li>{@link io.github.consullock.ConsulUnavailableException} if Consul did not answer
 * within the wait time, and {@link io.github.consullock.ConsulRefusedException} if it
 * refused</li>
 * <li>{@link io.github.consullock.LockConflictException} if the key holds something that
 * is no lock</li>
 * <li>{@link IllegalArgumentException} if the arguments make no valid key, or no key at
 * all, or the caller passed a {@code LockHandle}</li>
 * <li>{@link IllegalStateException} if the method around it, on the same thread, holds a
 * part of its {@link #keys()}, so that it would wait for its own caller; if a transaction
 * is active already and {@link ActiveTransactionPolicy#REFUSE} is set; or if a method
 * that is declared to return {@code Object} returned a result that was not yet there,
 * such as a future</li>
 * </ul>
 * What the body throws reaches the caller unchanged as long as the lock was held to the
 * end.
 * <p>
 * Only calls through the bean's proxy are locked: a call of an own method by {@code this}
 * is not. What no proxy can lock (a private, static or final method) stops the start.
 * <p>
 * A method may return before its work is done: a {@code CompletableFuture},
 * {@code CompletionStage} or {@code Future}, or, with Reactor on the class path, a
 * {@code Mono}, {@code Flux}, or another type of Spring's
 * {@code ReactiveAdapterRegistry}; or it may be a {@code suspend} function of Kotlin. The
 * lock is then acquired without keeping the calling thread, of a publisher at each
 * subscription, and the method runs on another thread: of what the caller's thread has,
 * only the context class loader is there, and what is registered with Micrometer's
 * context propagation, if that is on the class path. The lock is held until the future is
 * done, or the publisher has ended or was cancelled; the result is delivered after the
 * release, the exceptions above by it, except that a key which is none is thrown.
 * Cancelling it ends the wait or the work. A call of the same key joins while the method
 * itself runs, and in the same Reactor context, where the hold is found by
 * {@link ReactiveLockHandle}; the hold lasts until all that joined it has ended. Such a
 * method does not itself join the hold of one that blocks, or that is kept for a
 * transaction: it waits for the end of that.
 * <p>
 * Other types that end later than the method does stop the start, such as
 * {@code Callable}, and what holds one, as {@code Optional<Future<?>>} does. The elements
 * of a lazy {@code Stream} are evaluated by the caller, after the release.
 *
 * @since 0.1.0
 * @see io.github.consullock.LockHandle
 */
@Target({ ElementType.TYPE, ElementType.METHOD })
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
public @interface DistributedLock {

	/**
	 * The key, as a template; an alias for {@link #key()}.
	 */
	@AliasFor("key")
	String value() default "";

	/**
	 * The key of the lock below the registry's prefix, as a template. Required, unless
	 * there are {@link #keys()}.
	 * <p>
	 * Plain text is itself. <code>${...}</code> is a property, resolved once at the
	 * start. <code>#{...}</code> is a SpEL expression over the call, evaluated once for
	 * each call, before the body:
	 * <ul>
	 * <li>{@code #id}: the parameter of that name (compile with {@code -parameters})</li>
	 * <li>{@code #p0}, {@code #a0}: a parameter by its position</li>
	 * <li>{@code #root.methodName}, {@code #root.args}, {@code #root.target}: the
	 * method's name, the arguments, the bean</li>
	 * <li>{@code @name}: a bean</li>
	 * </ul>
	 * <p>
	 * An expression must yield text, a number, a boolean, an enum, a UUID, or something
	 * that a {@code Converter}, {@code Printer} or {@code Formatter} turns into text
	 * which is a bean or registered with the bean factory's {@code ConversionService};
	 * not null and not blank. What it yields stays within its segment: every character
	 * but {@code A-Z a-z 0-9 _ . -} is written as {@code =XX}, the hexadecimal value of
	 * its UTF-8 bytes, {@code /} included, and so are the dots of a segment that would be
	 * {@code .} or {@code ..}. Plain text is not encoded but checked, see
	 * {@link io.github.consullock.LockOptions#checkKey(String)}.
	 */
	@AliasFor("value")
	String key() default "";

	/**
	 * Several keys that are locked together: all are held, or none, and whoever waits
	 * holds none of them, so that no order leads to a deadlock. In place of
	 * {@link #key()}.
	 * <p>
	 * Each is a template as {@link #key()} is. An expression may also yield a collection
	 * or an array, at most one in a template, and then gives a key for each element:
	 * <code>keys = "accounts/#{#ids}"</code>. Keys that come up twice are locked once.
	 * <p>
	 * A call is refused with {@link IllegalArgumentException} if its collections are all
	 * empty, so that there is nothing to lock, or if there are more than
	 * {@value io.github.consullock.LockOptions#MAX_KEYS} keys; Consul before 1.14 takes
	 * 31.
	 */
	String[] keys() default {};

	/**
	 * How many calls may run at once, in all processes together: a semaphore in place of
	 * a lock, with a permit for each. Whatever uses the key must have the same limit, or
	 * gets {@link io.github.consullock.LockConflictException}.
	 * <p>
	 * The default, 0, is a lock: one call at a time.
	 * <p>
	 * Not together with {@link #keys()}.
	 */
	int limit() default 0;

	/**
	 * Whether the lock, when it is free, goes to the call that has waited longest, even
	 * if another process asks for it first.
	 * <p>
	 * The default is the registry's setting, by which it goes to whoever asks first. In
	 * any case a release hands the lock to the one that has waited longest.
	 * <p>
	 * Not together with {@link #keys()}.
	 */
	boolean fair() default false;

	/**
	 * How long to wait for the lock: {@code "5s"}, {@code "500ms"}, {@code "PT5S"}, or a
	 * property such as <code>"${orders.wait}"</code>. A number without a unit is refused.
	 * <p>
	 * The default, empty, is the registry's wait time.
	 * <p>
	 * {@code "0s"} tries once, {@code "forever"} waits for ever.
	 */
	String waitTime() default "";

	/**
	 * What a call does that did not get the lock within the wait time.
	 * <p>
	 * The default is to throw.
	 * <p>
	 * Concerns that one case only: an unreachable Consul and a lost lock always throw.
	 */
	NotAcquiredPolicy onNotAcquired() default NotAcquiredPolicy.THROW;

	/**
	 * The method to call in place of a body that did not get the lock within the wait
	 * time, by its name. Its result or exception is the caller's.
	 * <p>
	 * A method of the same class or a superclass, whatever its visibility, with the same
	 * parameters, or with a {@link io.github.consullock.LockNotAcquiredException} after
	 * them, a return type that fits, and no checked exceptions that the method does not
	 * declare. It runs without the lock, and as the bean itself calls it: annotations on
	 * it have no effect, which is why it must not be one that {@code @DistributedLock}
	 * applies to.
	 * <p>
	 * The default, empty, is none.
	 * <p>
	 * Concerns that one case only: an unreachable Consul and a lost lock always throw, as
	 * does a body that itself fails to get another lock. Not together with
	 * {@link NotAcquiredPolicy#SKIP}.
	 */
	String fallback() default "";

	/**
	 * What happens to the running body when the lock is lost.
	 * <p>
	 * The default is to cancel it.
	 */
	LossPolicy onLost() default LossPolicy.CANCEL;

	/**
	 * How long others are kept out at least, from the acquisition: a call that is done
	 * earlier returns at once, and its lock is released when the time has passed. For
	 * scheduled work so short that the clocks of two processes may differ by more. A
	 * duration as {@link #waitTime()} has it.
	 * <p>
	 * The default, empty, is not at all.
	 * <p>
	 * A process that ends releases at once all the same.
	 */
	String holdAtLeast() default "";

	/**
	 * How long the lock may be held, from the acquisition: then it is lost, with the
	 * reason {@link io.github.consullock.LockLostReason#MAX_HOLD_EXCEEDED}, and
	 * {@link #onLost()} says what happens to the body. A duration above zero as
	 * {@link #waitTime()} has it, not below {@link #holdAtLeast()}.
	 * <p>
	 * The default, empty, is without limit.
	 */
	String maxHold() default "";

	/**
	 * The registry to lock in: the qualifier or name of a {@code ConsulLockRegistry}
	 * bean.
	 * <p>
	 * The default, empty, is the only registry, or the primary one among several.
	 */
	String registry() default "";

}
