package io.github.consullock.webflux;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockLostException;

import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/**
 * What a request is answered that got no lock, or lost it.
 */
@RestControllerAdvice
class Problems {

	@ExceptionHandler
	ResponseEntity<String> lost(LockLostException ex) {
		return ResponseEntity.status(HttpStatus.CONFLICT).body(ex.reason().name());
	}

	@ExceptionHandler
	ResponseEntity<String> unavailable(ConsulUnavailableException ex) {
		return ResponseEntity.status(HttpStatus.SERVICE_UNAVAILABLE).body("no answer");
	}

}
