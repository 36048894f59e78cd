package io.github.consullock.sample;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.stereotype.Component;

/**
 * Ends this instance with the process that started it: the system closes the pipe between
 * the two however that process ends, even by {@code kill -9}.
 */
@Component
@ConditionalOnBooleanProperty("sample.exit-with-stdin")
class StdinWatch {

	private static final Logger logger = LoggerFactory.getLogger(StdinWatch.class);

	/** A shutdown may take long where Consul and the receivers have ended as well. */
	private static final Duration SHUTDOWN = Duration.ofSeconds(10);

	StdinWatch() {
		startDaemon("stdin-watch", StdinWatch::exitAtTheEnd);
	}

	private static void exitAtTheEnd() {
		try {
			// Whatever is written is no reason to end.
			System.in.transferTo(OutputStream.nullOutputStream());
		}
		catch (IOException ex) {
			logger.debug("Reading the standard input failed, which ends it", ex);
		}
		logger.info("The process that started this instance has closed its input: shutting down");
		startDaemon("shutdown-limit", StdinWatch::haltAfterLimit);
		System.exit(0);
	}

	private static void haltAfterLimit() {
		try {
			Thread.sleep(SHUTDOWN.toMillis());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		Runtime.getRuntime().halt(1);
	}

	private static void startDaemon(String name, Runnable task) {
		Thread thread = new Thread(task, name);
		thread.setDaemon(true);
		thread.start();
	}

}
