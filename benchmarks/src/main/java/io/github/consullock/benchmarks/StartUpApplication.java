package io.github.consullock.benchmarks;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;

/**
 * An empty application, which ends as soon as it is ready. Runs without this library on
 * its class path too.
 */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class StartUpApplication {

	static final String READY = "ready";

	/**
	 * Starts the application, says so, and ends.
	 * @param args its properties
	 */
	@SuppressWarnings("SystemOut") // For the process that waits for it.
	public static void main(String[] args) {
		try (var context = SpringApplication.run(StartUpApplication.class, args)) {
			System.out.println(READY);
		}
	}

}
