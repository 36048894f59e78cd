package io.github.consullock.sample;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockNotAcquiredException;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/**
 * What the caller of a webhook gets that was not delivered: a status, a {@code code} for
 * programs, and a {@code detail} for people.
 */
@RestControllerAdvice
class Problems {

	@ExceptionHandler
	ProblemDetail unknownReceiver(UnknownReceiverException ex) {
		return problem(HttpStatus.NOT_FOUND, "UNKNOWN_RECEIVER", "No such receiver", ex);
	}

	@ExceptionHandler
	ProblemDetail refusedByReceiver(ReceiverException ex) {
		return problem(HttpStatus.BAD_GATEWAY, "RECEIVER_FAILED", "Not delivered", ex);
	}

	@ExceptionHandler
	ProblemDetail notAcquired(LockNotAcquiredException ex) {
		return problem(HttpStatus.CONFLICT, "LOCK_NOT_ACQUIRED", "Other deliveries to this receiver took too long", ex);
	}

	@ExceptionHandler
	ProblemDetail lost(LockLostException ex) {
		ProblemDetail problem = problem(HttpStatus.SERVICE_UNAVAILABLE, "LOCK_LOST",
				"Delivery cancelled, since its lock was lost", ex);
		problem.setProperty("reason", ex.reason());
		problem.setProperty("fencingToken", ex.fencingToken());
		return problem;
	}

	@ExceptionHandler
	ProblemDetail unavailable(ConsulUnavailableException ex) {
		return problem(HttpStatus.SERVICE_UNAVAILABLE, "CONSUL_UNAVAILABLE", "Consul does not answer", ex);
	}

	// Seldom seen by anybody: the web server, which interrupts when its time to shut down
	// is over, closes the connection too.
	@ExceptionHandler({ LockInterruptedException.class, InterruptedException.class })
	ProblemDetail interrupted(Exception ex) {
		return problem(HttpStatus.SERVICE_UNAVAILABLE, "SHUTTING_DOWN", "This instance is shutting down", ex);
	}

	@ExceptionHandler
	ProblemDetail misconfigured(LockException ex) {
		return problem(HttpStatus.INTERNAL_SERVER_ERROR, "LOCK_FAILED", "The lock cannot be taken at all", ex);
	}

	private static ProblemDetail problem(HttpStatus status, String code, String title, Exception ex) {
		ProblemDetail problem = ProblemDetail.forStatus(status);
		problem.setDetail(ex.getMessage());
		problem.setTitle(title);
		problem.setProperty("code", code);
		return problem;
	}

}
