package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * The configuration of one agent.
 *
 * @param nodeName the agent's name
 * @param server whether it is a server, and not a client agent
 * @param dataDirectory where it keeps its data
 * @param network the addresses that it listens on, as configuration
 * @param ports its ports, as configuration
 * @param join the gossip addresses of the whole cluster
 * @param tlsDirectory the directory of its certificates, as the agent sees it; null for
 * none
 */
record AgentConfiguration(String nodeName, boolean server, String dataDirectory, String network, String ports,
		List<String> join, @Nullable String tlsDirectory) {

	/**
	 * Writes one file for each document, named so that Consul reads them in this order.
	 * @param options what is asked for
	 * @param directory the directory to write into
	 * @throws IOException if it cannot be written
	 */
	void writeTo(Path directory, ConsulServerOptions options) throws IOException {
		Files.createDirectories(directory);
		int number = 0;
		for (String document : documents(options)) {
			Files.writeString(directory.resolve("%02d.json".formatted(number++)), document);
		}
	}

	private List<String> documents(ConsulServerOptions options) {
		List<String> documents = new ArrayList<>();
		documents
			.add("""
					{ %s, "node_name": %s, "datacenter": %s, "data_dir": %s,
					  %s,
					  "ports": { %s },
					  "performance": { "raft_multiplier": 1 },
					  "disable_update_check": true, "leave_on_terminate": false, "skip_leave_on_interrupt": true }
					""".formatted(
					this.server ? "\"server\": true, \"bootstrap_expect\": " + options.clusterSize()
							: "\"server\": false",
					Json.quote(this.nodeName), Json.quote(options.datacenter()), Json.quote(this.dataDirectory),
					this.network, this.ports));
		if (options.agents() > 1) {
			documents.add("{ \"retry_join\": %s, \"retry_interval\": \"1s\" }".formatted(Json.array(this.join)));
		}
		if (options.acl()) {
			// Kept tokens: a node that is started again still has its own.
			documents.add("""
					{ "acl": { "enabled": true, "default_policy": "deny", "enable_token_persistence": true } }
					""");
		}
		if (this.tlsDirectory != null) {
			documents.add("""
					{ "ca_file": %s, "cert_file": %s, "key_file": %s }
					""".formatted(Json.quote(this.tlsDirectory + "/" + ServerCertificate.CA_FILE),
					Json.quote(this.tlsDirectory + "/" + ServerCertificate.CERTIFICATE_FILE),
					Json.quote(this.tlsDirectory + "/" + ServerCertificate.KEY_FILE)));
		}
		documents.addAll(options.configuration());
		return documents;
	}

}
