package io.github.consullock.testserver;

import java.io.IOException;
import java.net.URI;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * One agent, wherever it runs. Its addresses and its data outlast {@link #kill()}.
 */
interface ConsulNode {

	String name();

	String host();

	int httpPort();

	OptionalInt httpsPort();

	/**
	 * Starts the agent, without waiting until it is ready.
	 * @throws PortTakenException if one of its ports is known to be taken already
	 * @throws IOException if it cannot be started
	 */
	void start() throws IOException;

	boolean isRunning();

	/**
	 * Ends the agent at once, as a power failure does, and waits until it is gone.
	 * @throws IOException if it cannot be ended
	 */
	void kill() throws IOException;

	void pause() throws IOException;

	void resume() throws IOException;

	/**
	 * The agent's process on this machine, absent while it is not running or where it is
	 * out of reach.
	 * @return the process id
	 */
	OptionalLong processId();

	/**
	 * The end of what the agent logged.
	 * @return some dozen lines
	 */
	String logTail();

	/**
	 * Ends the agent, frozen or not, and forgets its data.
	 */
	void remove();

	default URI httpUri() {
		return URI.create("http://" + host() + ":" + httpPort());
	}

}
