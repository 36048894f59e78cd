package io.github.consullock.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Gives a Spring test locks without Consul, and a {@link LockLossSimulator} to take them
 * away:
 *
 * <pre class="code">
 * &#64;SpringBootTest
 * &#64;LocalLocks
 * class OrdersTests {
 *
 * 	&#64;Autowired
 * 	LockLossSimulator locks;
 *
 * }
 * </pre>
 *
 * Annotated methods and the {@code ConsulLockRegistry} behave as they do on Consul, but
 * each application context has a Consul of its own, in memory. Whatever the application's
 * settings say, {@code consul.lock.enabled} is true and {@code consul.lock.mode} is
 * {@code local}; the other settings apply.
 * <p>
 * May be put on any class of which the Spring TestContext Framework makes an application
 * context: with {@code @SpringBootTest}, with slices such as {@code @WebMvcTest}, and
 * with {@code @SpringJUnitConfig}; there the auto-configuration of the locks is added.
 * Inherited by subclasses and nested test classes, and usable as a meta-annotation. Test
 * classes that do not differ otherwise share one cached context, and so its locks.
 *
 * @since 0.1.0
 * @see LockLossSimulator
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
public @interface LocalLocks {

	/**
	 * Whether the application registers in Consul, if its settings say so.
	 * <p>
	 * By default it does not, and does not watch Consul's catalog either, so that it
	 * starts without a Consul: {@code spring.cloud.consul.discovery.register} and
	 * {@code spring.cloud.consul.discovery.catalog-services-watch.enabled} are false.
	 * <p>
	 * If true, these settings are left alone: for a test in which Consul is there for
	 * something else.
	 */
	boolean register() default false;

}
