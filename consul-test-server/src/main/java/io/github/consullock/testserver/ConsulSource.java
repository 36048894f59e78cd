package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Where agents come from: a binary on this machine, or an image.
 */
interface ConsulSource {

	/**
	 * What is used, for logs and messages.
	 * @return such as the path of a binary
	 */
	String description();

	/**
	 * Picks ports and writes the configuration of each agent, starting none.
	 * @param options what is asked for
	 * @param directory an empty directory for all that belongs to these agents
	 * @return an agent for each server of the cluster
	 * @throws IOException if the configuration cannot be written
	 */
	List<ConsulNode> prepare(ConsulServerOptions options, Path directory) throws IOException;

}
