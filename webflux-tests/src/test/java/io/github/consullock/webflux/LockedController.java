package io.github.consullock.webflux;

import java.util.concurrent.CompletableFuture;

import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.lock.ConsulLockRegistry;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/**
 * Requests whose work is locked, by the service or here.
 */
@RestController
class LockedController {

	private final LockedService service;

	private final ConsulLockRegistry registry;

	private final WorkList works;

	LockedController(LockedService service, ConsulLockRegistry registry, WorkList works) {
		this.service = service;
		this.registry = registry;
		this.works = works;
	}

	@GetMapping("/mono/{key}/{work}")
	Mono<String> mono(@PathVariable String key, @PathVariable String work) {
		return this.service.mono(key, this.works.get(key, work));
	}

	@GetMapping("/flux/{key}/{work}")
	Flux<String> flux(@PathVariable String key, @PathVariable String work) {
		return this.service.flux(key, this.works.get(key, work));
	}

	@GetMapping("/future/{key}/{work}")
	CompletableFuture<String> future(@PathVariable String key, @PathVariable String work) {
		return this.service.future(key, this.works.get(key, work));
	}

	@GetMapping("/controller/{key}/{work}")
	@DistributedLock("#{#key}")
	public Mono<String> controller(@PathVariable String key, @PathVariable String work) {
		return this.works.get(key, work).publish();
	}

	/** Needs no lock. */
	@GetMapping("/free")
	String free() {
		return "free";
	}

	/** As nobody should. */
	@GetMapping("/sleeping")
	String sleep() throws InterruptedException {
		Thread.sleep(1);
		return "slept";
	}

	/** As nobody should. */
	@GetMapping("/asking")
	String askConsul() {
		return "held: " + this.registry.obtain("any").isLocked();
	}

}
