package io.github.consullock.sample;

import java.util.List;
import java.util.stream.Stream;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

class ProblemsTests {

	@ParameterizedTest
	@MethodSource("problems")
	void eachExceptionBecomesAProblemThatSaysWhatAndWhy(Exception thrown, int status, String code) {
		MockMvcTester mvc = MockMvcTester.of(List.of(new Throwing(thrown)),
				(builder) -> builder.setControllerAdvice(new Problems()).build());
		assertThat(mvc.get().uri("/")).hasStatus(status)
			.hasContentType(MediaType.APPLICATION_PROBLEM_JSON)
			.bodyJson()
			.hasPathSatisfying("$.code", (found) -> found.assertThat().isEqualTo(code))
			.hasPathSatisfying("$.detail", (found) -> found.assertThat().isEqualTo(thrown.getMessage()));
	}

	static Stream<Arguments> problems() {
		return Stream.of(arguments(new UnknownReceiverException("fast", List.of("slow")), 404, "UNKNOWN_RECEIVER"),
				arguments(new ReceiverException("http://127.0.0.1/ answered 500", null), 502, "RECEIVER_FAILED"),
				arguments(new LockNotAcquiredException("locks/k", "Held by B"), 409, "LOCK_NOT_ACQUIRED"),
				arguments(new LockLostException("locks/k", 7, LockLostReason.SESSION_INVALIDATED), 503, "LOCK_LOST"),
				arguments(new ConsulUnavailableException("No answer"), 503, "CONSUL_UNAVAILABLE"),
				arguments(new LockInterruptedException("Interrupted"), 503, "SHUTTING_DOWN"),
				arguments(new InterruptedException("Interrupted"), 503, "SHUTTING_DOWN"),
				arguments(new ConsulRefusedException("Permission denied"), 500, "LOCK_FAILED"));
	}

	@RestController
	private static final class Throwing {

		private final Exception exception;

		private Throwing(Exception exception) {
			this.exception = exception;
		}

		@GetMapping("/")
		void call() throws Exception {
			throw this.exception;
		}

	}

}
