package io.github.consullock.testserver;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports below the range that systems take outgoing connections from, so that a port found
 * free is not lost to one of those before the agent listens. Another process may still be
 * faster: a start that fails for it is tried again.
 */
final class FreePorts {

	private static final int FIRST = 20_000;

	private static final int COUNT = 12_000;

	/** Goes round, so that this JVM does not hand out a port twice while it matters. */
	private static final AtomicInteger CURSOR = new AtomicInteger(ThreadLocalRandom.current().nextInt(COUNT));

	private FreePorts() {
	}

	static int next() {
		for (int i = 0; i < COUNT; i++) {
			int port = FIRST + Math.floorMod(CURSOR.getAndIncrement(), COUNT);
			if (isFree(port)) {
				return port;
			}
		}
		throw new ConsulServerException(
				"No port from %d to %d is free on this machine".formatted(FIRST, FIRST + COUNT - 1));
	}

	static boolean isFree(int port) {
		InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
		try (ServerSocket tcp = new ServerSocket(); DatagramSocket udp = new DatagramSocket(null)) {
			tcp.bind(address);
			udp.bind(address);
			return true;
		}
		catch (IOException ex) {
			return false;
		}
	}

}
