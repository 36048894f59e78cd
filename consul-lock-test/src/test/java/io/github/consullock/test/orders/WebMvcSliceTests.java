package io.github.consullock.test.orders;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.test.LocalLocks;
import io.github.consullock.test.LockLossSimulator;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;
import org.springframework.context.annotation.Import;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A slice, which has no auto-configuration of locks by itself.
 */
@WebMvcTest
@LocalLocks
@Import(WebMvcSliceTests.OrderController.class)
class WebMvcSliceTests {

	@Test
	void aControllerLocks(@Autowired MockMvcTester mvc, @Autowired LockLossSimulator locks) {
		assertThat(mvc.get().uri("/orders/42")).hasStatusOk().hasBodyTextEqualTo("locks/orders/42");
		assertThat(locks.heldKeys()).isEmpty();
	}

	@RestController
	static class OrderController {

		@GetMapping("/orders/{order}")
		@DistributedLock("orders/#{#order}")
		String order(@PathVariable String order) {
			return LockHandle.current().key();
		}

	}

}
