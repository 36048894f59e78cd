package io.github.consullock.test.orders;

import java.time.Duration;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.test.LocalLocks;
import io.github.consullock.test.LockLossSimulator;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.ContextConfiguration;
import org.springframework.test.context.ContextHierarchy;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Contexts that are not Spring Boot's, one above the other.
 */
@SpringJUnitConfig
@ContextHierarchy({ @ContextConfiguration(classes = PlainSpringTests.Parent.class),
		@ContextConfiguration(classes = PlainSpringTests.Child.class) })
@LocalLocks
class PlainSpringTests {

	@Test
	void aHierarchyHasOneConsul(@Autowired Parent parent, @Autowired Child child,
			@Autowired ConsulLockRegistry registry, @Autowired LockLossSimulator locks) {
		assertThat(parent.lock()).isEqualTo("locks/parent");
		assertThat(child.lock()).isEqualTo("locks/child");
		LockHandle handle = registry.obtain("a").tryAcquire(Duration.ofMinutes(1)).orElseThrow();
		assertThat(locks.heldKeys()).containsExactly("a");
		locks.lose("a");
		assertThat(handle.isHeld()).isFalse();
	}

	static class Parent {

		@DistributedLock("parent")
		String lock() {
			return LockHandle.current().key();
		}

	}

	static class Child {

		@DistributedLock("child")
		String lock() {
			return LockHandle.current().key();
		}

	}

}
