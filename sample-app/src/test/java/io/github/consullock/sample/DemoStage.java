package io.github.consullock.sample;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

import io.github.consullock.testserver.ConsulServer;
import org.awaitility.Awaitility;

/**
 * What the demo plays on: a real Consul, two instances of the sample, and a receiver for
 * both. All of it ends with this process, however that ends.
 */
final class DemoStage implements AutoCloseable {

	/** The receiver as the instances know it. */
	static final String RECEIVER = "slow";

	/** The key of the lock for deliveries to it. */
	static final String KEY = "locks/webhook_receiver/" + RECEIVER;

	private static final String APPLICATION = "webhook-delivery";

	private static final Duration START_TIMEOUT = Duration.ofMinutes(2);

	private final ReentrantLock lock = new ReentrantLock();

	private final ReceiverServer receiver;

	private final ConsulServer server;

	private final DemoProcess processA;

	private final DemoProcess processB;

	private volatile boolean closed;

	private DemoStage(ReceiverServer receiver, ConsulServer server, DemoProcess processA, DemoProcess processB) {
		this.receiver = receiver;
		this.server = server;
		this.processA = processA;
		this.processB = processB;
	}

	/**
	 * Starts Consul, and the instances without waiting for them.
	 * @param jar the application
	 * @param receiverDuration how long the receiver takes
	 * @param log is given each line that an instance logs
	 * @return the stage
	 */
	static DemoStage start(Path jar, Duration receiverDuration, Log log) {
		ConsulServer server = ConsulServer.start();
		ReceiverServer receiver = ReceiverServer.start(receiverDuration);
		URI url = receiver.url(RECEIVER);
		return new DemoStage(receiver, server, DemoProcess.start("A", jar, server.httpUri(), url, log),
				DemoProcess.start("B", jar, server.httpUri(), url, log));
	}

	ReceiverServer receiver() {
		return this.receiver;
	}

	URI consulAddress() {
		return this.server.httpUri();
	}

	ConsulCalls consul() {
		return new ConsulCalls(this.server.httpUri());
	}

	DemoProcess processA() {
		return this.processA;
	}

	DemoProcess processB() {
		return this.processB;
	}

	InstanceClient instanceA() {
		return instance(this.processA);
	}

	InstanceClient instanceB() {
		return instance(this.processB);
	}

	private InstanceClient instance(DemoProcess process) {
		ConsulCalls consul = consul();
		// It registers once it listens.
		int port = Awaitility.await("registration of instance " + process.name())
			.atMost(START_TIMEOUT)
			.failFast("instance %s has ended".formatted(process.name()), () -> !process.isAlive())
			.until(() -> consul.portOf(APPLICATION, APPLICATION + "-" + process.name()), OptionalInt::isPresent)
			.getAsInt();
		return new InstanceClient(process.name(), URI.create("http://127.0.0.1:" + port));
	}

	/**
	 * The processes of the demo, those of Consul included.
	 * @return those that run now
	 */
	List<ProcessHandle> processes() {
		Stream<Long> instances = Stream.of(this.processA.pid(), this.processB.pid());
		return Stream.concat(this.server.processIds().stream(), instances)
			.flatMap((pid) -> ProcessHandle.of(pid).stream())
			.toList();
	}

	boolean isClosed() {
		return this.closed;
	}

	/**
	 * Shuts the instances down, then Consul, so that they can still deregister.
	 */
	@Override
	public void close() {
		this.lock.lock();
		try {
			if (!this.closed) {
				this.closed = true;
				this.processA.shutDown();
				this.processB.shutDown();
				this.processA.close();
				this.processB.close();
				this.receiver.close();
				this.server.close();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Where the lines go that an instance logs.
	 */
	@FunctionalInterface
	interface Log {

		void line(String line);

	}

}
