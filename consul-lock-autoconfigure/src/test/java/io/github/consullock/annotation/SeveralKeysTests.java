package io.github.consullock.annotation;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;

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
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class SeveralKeysTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Accounts accounts;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Accounts.class);
		this.registry = LockContext.registry(this.context);
		this.accounts = this.context.getBean(Accounts.class);
	}

	@AfterEach
	void stop() {
		assertThat(this.registry.isFree()).as("all keys free again").isTrue();
		this.context.close();
	}

	@Test
	void allKeysAreLockedTogether() {
		this.accounts.transfer(2, 1,
				() -> assertThat(LockHandle.current().keys()).containsExactly("locks/accounts/1", "locks/accounts/2"));
		assertThat(this.registry.events).containsExactly("acquire locks/accounts/1 locks/accounts/2",
				"release locks/accounts/1 locks/accounts/2");
	}

	@Test
	void noneIsLockedIfOneIsHeldBySomebodyElse() {
		LockHandle other = this.registry.obtain("accounts/2").acquire();
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.accounts.transfer(1, 2, Accounts.NOTHING));
		assertThat(this.accounts.transferIfFree(1, 2)).isFalse();
		assertThat(this.registry.heldLocks()).containsExactly(other);
		other.release();
		assertThat(this.accounts.transferIfFree(1, 2)).isTrue();
	}

	@Test
	void aKeyThatComesUpTwiceIsLockedOnce() {
		this.accounts.transfer(1, 1, Accounts.NOTHING);
		this.accounts.settle(List.of(1L, 2L, 1L));
		assertThat(this.registry.events).containsExactly("acquire locks/accounts/1", "release locks/accounts/1",
				"acquire locks/accounts/1 locks/accounts/2", "release locks/accounts/1 locks/accounts/2");
	}

	@Test
	void aCollectionOrAnArrayGivesAKeyForEachElement() {
		this.accounts.settle(Set.of(3L, 4L));
		this.accounts.settleArray("a", "b/c");
		this.accounts.settlePrimitives(new int[] { 5 }, "x");
		assertThat(this.registry.events).containsExactly("acquire locks/accounts/3 locks/accounts/4",
				"release locks/accounts/3 locks/accounts/4", "acquire locks/a/x locks/b=2Fc/x locks/ledger",
				"release locks/a/x locks/b=2Fc/x locks/ledger", "acquire locks/x/5", "release locks/x/5");
	}

	@Test
	void aCallWithNothingToLockIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.accounts.settle(List.of()))
			.withMessageContaining("Accounts.settle(Collection)")
			.withMessageContaining("empty");
		// There is a key that is always there.
		this.accounts.settleArray();
		assertThat(this.registry.events).containsExactly("acquire locks/ledger", "release locks/ledger");
	}

	@Test
	void moreKeysThanATransactionTakesAreRefused() {
		List<Long> many = IntStream.range(0, 64).mapToObj(Long::valueOf).toList();
		assertThatIllegalArgumentException().isThrownBy(() -> this.accounts.settle(many))
			.withMessageContaining("Accounts.settle(Collection)")
			.withMessageContaining("64")
			.withMessageContaining("63");
		this.accounts.settle(many.subList(0, 63));
	}

	@Test
	void whatMakesNoKeyIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.accounts.settle(Arrays.asList(1L, null)))
			.withMessageContaining("an element of what #{#ids} yields is null");
		assertThatIllegalArgumentException().isThrownBy(() -> this.accounts.settle(null))
			.withMessageContaining("it is null");
		assertThatIllegalArgumentException().isThrownBy(() -> this.accounts.pairs(List.of(1L), List.of(2L)))
			.withMessageContaining("#{#right}")
			.withMessageContaining("which elements belong together");
		assertThatIllegalArgumentException().isThrownBy(() -> this.accounts.nested(List.of(List.of(1L))))
			.withMessageContaining("it is of the type");
		assertThatIllegalArgumentException().isThrownBy(() -> this.accounts.single(List.of(1L)))
			.withMessageContaining("use 'keys'");
		assertThatIllegalArgumentException().isThrownBy(() -> this.accounts.single(new long[] { 1 }))
			.withMessageContaining("type long[]")
			.withMessageContaining("use 'keys'");
		assertThat(this.registry.events).isEmpty();
	}

	@Test
	void anInnerCallJoinsIfOneHoldCoversItsKeys() {
		this.accounts.transfer(1, 2, () -> {
			LockHandle outer = LockHandle.current();
			this.accounts.transfer(2, 1, () -> assertThat(LockHandle.current()).isSameAs(outer));
			this.accounts.book(2, () -> assertThat(LockHandle.current()).isSameAs(outer));
			this.accounts.transfer(1, 1, () -> assertThat(LockHandle.current()).isSameAs(outer));
			assertThat(outer.isHeld()).isTrue();
		});
		assertThat(this.registry.events).hasSize(2);
	}

	@Test
	void anInnerCallWithOtherKeysAcquiresThem() {
		this.accounts.transfer(1, 2, () -> this.accounts.transfer(3, 4, Accounts.NOTHING));
		assertThat(this.registry.events).containsExactly("acquire locks/accounts/1 locks/accounts/2",
				"acquire locks/accounts/3 locks/accounts/4", "release locks/accounts/3 locks/accounts/4",
				"release locks/accounts/1 locks/accounts/2");
	}

	@Test
	void anInnerCallThatNeedsMoreThanTheHoldAroundItIsRefusedRatherThanWaitsForIt() {
		AtomicBoolean ran = new AtomicBoolean();
		Runnable inner = () -> assertThatIllegalStateException()
			.isThrownBy(() -> this.accounts.transfer(2, 3, () -> ran.set(true)))
			.withMessageContaining("Accounts.transfer(long, long, Runnable)")
			.withMessageContaining("[locks/accounts/2, locks/accounts/3]")
			.withMessageContaining("wait for its own caller");
		this.accounts.transfer(1, 2, inner);
		this.accounts.book(2, inner);
		// Even if all are held, since they are so by two holds that may be lost apart.
		this.accounts.book(2, () -> this.accounts.book(3, inner));
		assertThat(ran).isFalse();
	}

	@Test
	void whatTheBodyHasReleasedIsNotHeldByIt() {
		this.accounts.book(2, () -> {
			LockHandle.current().release();
			this.accounts.transfer(1, 2, () -> assertThat(LockHandle.current().keys()).hasSize(2));
		});
	}

	@Test
	void anInnerCallUnderALostHoldDoesNotStart() {
		AtomicBoolean ran = new AtomicBoolean();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.accounts.transfer(1, 2, () -> {
			this.registry.holder("accounts/1").loseSilently(LockLostReason.KEY_DELETED);
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> this.accounts.transfer(2, 3, () -> ran.set(true)));
		}));
		assertThat(ran).isFalse();
	}

	@Test
	void theLossOfOneKeyCancelsTheBody() {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.accounts.transfer(1, 2,
					() -> this.registry.holder("accounts/2").lose(LockLostReason.KEY_DELETED)))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.KEY_DELETED));
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
	}

	static class Accounts {

		static final Runnable NOTHING = () -> {
		};

		@DistributedLock(keys = { "accounts/#{#from}", "accounts/#{#to}" })
		public void transfer(long from, long to, Runnable body) {
			body.run();
		}

		@DistributedLock(keys = { "accounts/#{#from}", "accounts/#{#to}" }, onNotAcquired = NotAcquiredPolicy.SKIP)
		public boolean transferIfFree(long from, long to) {
			return true;
		}

		@DistributedLock("accounts/#{#id}")
		public void book(long id, Runnable body) {
			body.run();
		}

		@DistributedLock(keys = "accounts/#{#ids}")
		public void settle(@Nullable Collection<@Nullable Long> ids) {
		}

		@DistributedLock(keys = { "#{#names}/x", "ledger" })
		public void settleArray(String... names) {
		}

		@DistributedLock(keys = "#{#suffix}/#{#ids}")
		public void settlePrimitives(int[] ids, String suffix) {
		}

		@DistributedLock(keys = "#{#left}/#{#right}")
		public void pairs(List<Long> left, List<Long> right) {
		}

		@DistributedLock(keys = "#{#ids}")
		public void nested(List<List<Long>> ids) {
		}

		@DistributedLock("#{#id}")
		public void single(Object id) {
		}

	}

}
