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
 * this or another annotated method, joins that hold: it neither acquires nor releases.
 * <p>
 * A lock that is acquired on a thread on which a transaction is active already is not
 * released before that has completed; until then calls of the same key on that thread
 * join it. See {@link ActiveTransactionPolicy}.
 * <p>
 * The body finds its hold, and with it the fencing token, in
 * {@link io.github.consullock.LockHandle#current()}.
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
 * <li>{@link IllegalArgumentException} if the arguments make no valid key</li>
 * <li>{@link IllegalStateException} if a transaction is active already and
 * {@link ActiveTransactionPolicy#REFUSE} is set</li>
 * <li>{@link IllegalStateException} if a method that is declared to return {@code Object}
 * returned a result that was not yet there, such as a future</li>
 * </ul>
 * What the body throws reaches the caller unchanged as long as the lock was held to the
 * end.
 * <p>
 * Only calls through the bean's proxy are locked: a call of an own method by {@code this}
 * is not. What no proxy can lock (a private, static or final method) stops the start, as
 * does a return type that ends later than the method does ({@code Future},
 * {@code CompletionStage}, a reactive type, a Kotlin {@code suspend} function): only
 * methods whose work is done when they return may be annotated. The same goes for what
 * holds such a type, as {@code Optional<Future<?>>} does. The elements of a lazy
 * {@code Stream} are evaluated by the caller, after the release.
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
	 * The key of the lock below the registry's prefix, as a template. Required.
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
	 * What happens to the running body when the lock is lost.
	 * <p>
	 * The default is to cancel it.
	 */
	LossPolicy onLost() default LossPolicy.CANCEL;

	/**
	 * The registry to lock in: the qualifier or name of a {@code ConsulLockRegistry}
	 * bean.
	 * <p>
	 * The default, empty, is the only registry, or the primary one among several.
	 */
	String registry() default "";

}
