package io.github.consullock.webflux;

import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.stereotype.Service;

/**
 * What controllers call.
 */
@Service
class LockedService {

	@DistributedLock("#{#key}")
	public Mono<String> mono(String key, Work work) {
		return work.publish();
	}

	@DistributedLock("#{#key}")
	public Flux<String> flux(String key, Work work) {
		return work.publish().flux();
	}

	@DistributedLock("#{#key}")
	public CompletableFuture<String> future(String key, Work work) {
		return work.publish(LockHandle.current()).toFuture();
	}

}
