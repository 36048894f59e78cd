package io.github.consullock.webflux;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import reactor.core.publisher.SignalType;
import reactor.netty.resources.LoopResources;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.client.ReactorResourceFactory;
import org.springframework.web.server.WebFilter;

/**
 * An application that has one thread for all its requests.
 */
@SpringBootApplication
class WebFluxApplication {

	@Bean
	ReactorResourceFactory reactorResourceFactory() {
		ReactorResourceFactory resources = new ReactorResourceFactory();
		resources.setUseGlobalResources(false);
		resources.setLoopResourcesSupplier(() -> LoopResources.create("reactor-http", 1, true));
		return resources;
	}

	@Bean
	WebFilter requests(Requests requests) {
		return (exchange, chain) -> {
			String path = exchange.getRequest().getPath().value();
			requests.threads.add(Thread.currentThread());
			requests.begun.add(path);
			return chain.filter(exchange).doFinally((how) -> requests.ended.put(path, how));
		};
	}

	@Bean
	Requests seen() {
		return new Requests();
	}

	/**
	 * What requests there were.
	 *
	 * @param threads on which they came in
	 * @param begun their paths
	 * @param ended how they ended, by path
	 */
	record Requests(Set<Thread> threads, Set<String> begun, Map<String, SignalType> ended) {

		Requests() {
			this(ConcurrentHashMap.newKeySet(), ConcurrentHashMap.newKeySet(), new ConcurrentHashMap<>());
		}

	}

}
