package io.github.consullock.testserver;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A JUnit test class whose methods and constructor may ask for a {@link ConsulServer} and
 * a {@link KeyPrefix}.
 *
 * @since 0.1.0
 * @see ConsulServerExtension
 */
@Target({ ElementType.TYPE, ElementType.ANNOTATION_TYPE })
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@ExtendWith(ConsulServerExtension.class)
public @interface ConsulTest {

}
