package io.github.consullock.test.orders;

// tag::class[]
import java.util.concurrent.CountDownLatch;

import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.test.LocalLocks;
import io.github.consullock.test.LockLossSimulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.bean.override.mockito.MockitoBean;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.BDDMockito.then;
import static org.mockito.BDDMockito.willAnswer;
import static org.mockito.Mockito.never;

/**
 * What becomes of an order that is shipped.
 */
@SpringBootTest
@LocalLocks
class ShippingTests {

	@Autowired
	Shipping shipping;

	@Autowired
	LockLossSimulator locks;

	@MockitoBean
	Carrier carrier;

	@AfterEach
	void noLockIsLeftBehind() {
		assertThat(this.locks.heldKeys()).isEmpty();
	}

	@Test
	void anOrderIsConfirmedUnderItsLock() throws InterruptedException {
		willAnswer((call) -> {
			assertThat(this.locks.heldKeys()).containsExactly("orders/42");
			return null;
		}).given(this.carrier).confirm(42);
		this.shipping.ship(42);
		then(this.carrier).should().confirm(42);
	}

	@Test
	void anOrderWhoseLockIsLostIsNotConfirmed() throws InterruptedException {
		willAnswer((call) -> {
			this.locks.lose("orders/42");
			// The booking takes its time, and is interrupted.
			new CountDownLatch(1).await();
			return null;
		}).given(this.carrier).book(42);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.shipping.ship(42))
			.withCauseInstanceOf(InterruptedException.class)
			.extracting(LockLostException::reason)
			.isEqualTo(LockLostReason.KEY_DELETED);
		then(this.carrier).should(never()).confirm(anyLong());
	}

}
// end::class[]
