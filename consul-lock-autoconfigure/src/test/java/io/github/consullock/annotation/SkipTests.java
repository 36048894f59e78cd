package io.github.consullock.annotation;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class SkipTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Skipping skipping;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Skipping.class);
		this.registry = LockContext.registry(this.context);
		this.skipping = this.context.getBean(Skipping.class);
	}

	@AfterEach
	void stop() {
		this.context.close();
	}

	@Test
	void aSkippedCallReturnsWhatSaysThatNothingWasDone() {
		try (LockHandle other = this.registry.obtain("skip").acquire()) {
			assertThat(other.isHeld()).isTrue();
			this.skipping.nothing();
			assertThat(this.skipping.primitive()).isFalse();
			assertThat(this.skipping.wrapper()).isFalse();
			assertThat(this.skipping.text()).isNull();
			assertThat(this.skipping.number()).isNull();
			assertThat(this.skipping.optional()).isEmpty();
			assertThat(this.skipping.optionalLong()).isEmpty();
			assertThat(this.skipping.list()).isEmpty();
			assertThat(this.skipping.collection()).isEmpty();
			assertThat(this.skipping.iterable()).isEmpty();
			assertThat(this.skipping.set()).isEmpty();
			assertThat(this.skipping.sortedSet()).isEmpty();
			assertThat(this.skipping.deque()).isEmpty();
			assertThat(this.skipping.linkedList()).isEmpty();
			assertThat(this.skipping.map()).isEmpty();
			assertThat(this.skipping.navigableMap()).isEmpty();
			assertThat(this.skipping.linkedHashMap()).isEmpty();
			assertThat(this.skipping.iterator()).isExhausted();
			assertThat(this.skipping.stream()).isEmpty();
			assertThat(this.skipping.intStream()).isEmpty();
			assertThat(this.skipping.array()).isEmpty();
			assertThat(this.skipping.primitiveArray()).isEmpty();
		}
	}

	@Test
	void eachSkippedCallReturnsACollectionOfItsOwn() {
		try (LockHandle other = this.registry.obtain("skip").acquire()) {
			assertThat(other.isHeld()).isTrue();
			this.skipping.list().add("mine");
			assertThat(this.skipping.list()).isEmpty();
		}
	}

	@Test
	void aCallThatGetsTheLockIsNotSkipped() {
		assertThat(this.skipping.wrapper()).isTrue();
	}

	@Test
	void anUnreachableConsulIsNotSkipped() {
		this.registry.failure = new ConsulUnavailableException("no answer");
		assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(this.skipping::nothing);
	}

	@Test
	void aLossIsNotSkipped() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(
				() -> this.skipping.run(() -> this.registry.holder("skip").lose(LockLostReason.SESSION_INVALIDATED)));
	}

	@Test
	void aLockThatTheBodyDoesNotGetIsNotSkipped() {
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> this.skipping.run(() -> {
			throw new LockNotAcquiredException("another", "held by somebody");
		}));
	}

	@DistributedLock(key = "skip", onNotAcquired = NotAcquiredPolicy.SKIP)
	static class Skipping {

		public void nothing() {
		}

		public void run(Runnable body) {
			body.run();
		}

		public boolean primitive() {
			return true;
		}

		public Boolean wrapper() {
			return true;
		}

		public @Nullable String text() {
			return "ran";
		}

		public @Nullable Integer number() {
			return 1;
		}

		public Optional<String> optional() {
			return Optional.of("ran");
		}

		public OptionalLong optionalLong() {
			return OptionalLong.of(1);
		}

		public List<String> list() {
			return List.of("ran");
		}

		public Collection<String> collection() {
			return List.of("ran");
		}

		public Iterable<String> iterable() {
			return List.of("ran");
		}

		public Set<String> set() {
			return Set.of("ran");
		}

		public SortedSet<String> sortedSet() {
			throw new IllegalStateException("ran");
		}

		public Deque<String> deque() {
			throw new IllegalStateException("ran");
		}

		@SuppressWarnings("NonApiType") // what a user may do
		public LinkedList<String> linkedList() {
			throw new IllegalStateException("ran");
		}

		public Map<String, String> map() {
			return Map.of("ran", "ran");
		}

		public NavigableMap<String, String> navigableMap() {
			throw new IllegalStateException("ran");
		}

		@SuppressWarnings("NonApiType") // what a user may do
		public LinkedHashMap<String, String> linkedHashMap() {
			throw new IllegalStateException("ran");
		}

		public Iterator<String> iterator() {
			return new ArrayList<>(List.of("ran")).iterator();
		}

		public Stream<String> stream() {
			return Stream.of("ran");
		}

		public IntStream intStream() {
			return IntStream.of(1);
		}

		public String[] array() {
			return new String[] { "ran" };
		}

		public int[] primitiveArray() {
			return new int[] { 1 };
		}

	}

}
