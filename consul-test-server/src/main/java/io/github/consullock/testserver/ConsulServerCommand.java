package io.github.consullock.testserver;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

/**
 * A server for a demo, started from the command line.
 */
final class ConsulServerCommand {

	static final String USAGE = """
			Options:
			  --port=8500        the HTTP port of the first server (default: a free one)
			  --acl              access control, with everything denied by default
			  --tls              HTTPS beside HTTP
			  --cluster=3        the number of servers (default: 1)
			  --datacenter=dc1   the name of the datacenter
			  --config=FILE      more agent configuration, JSON
			It runs until Ctrl-C, or until its standard input is closed.""";

	private ConsulServerCommand() {
	}

	/**
	 * Starts a server, says where it is, and waits.
	 * @param args the options
	 * @param in closed when the server is to end
	 * @param out where addresses and tokens are printed, a name=value on each line
	 * @throws IllegalArgumentException if the options are wrong
	 */
	static void run(String[] args, InputStream in, PrintStream out) {
		ConsulServerBuilder builder = parse(args);
		try (ConsulServer server = builder.start()) {
			// On Ctrl-C: gone before this process is.
			Runtime.getRuntime().addShutdownHook(new Thread(server::close, "consul-test-server-end"));
			print(server, out);
			awaitEnd(in);
		}
	}

	static ConsulServerBuilder parse(String[] args) {
		ConsulServerBuilder builder = ConsulServer.builder();
		for (String arg : args) {
			String[] parts = arg.split("=", 2);
			String value = (parts.length > 1) ? parts[1] : null;
			switch (parts[0]) {
				case "--port" -> builder.httpPort(number(arg, value));
				case "--acl" -> builder.acl();
				case "--tls" -> builder.tls();
				case "--cluster" -> builder.clusterSize(number(arg, value));
				case "--datacenter" -> builder.datacenter(text(arg, value));
				case "--config" -> builder.configuration(content(arg, value));
				default -> throw new IllegalArgumentException("Unknown option '%s'.\n%s".formatted(arg, USAGE));
			}
		}
		return builder;
	}

	private static String text(String arg, @Nullable String value) {
		if (value == null || value.isBlank()) {
			throw new IllegalArgumentException("'%s' needs a value.\n%s".formatted(arg, USAGE));
		}
		return value;
	}

	private static int number(String arg, @Nullable String value) {
		try {
			return Integer.parseInt(text(arg, value));
		}
		catch (NumberFormatException ex) {
			throw new IllegalArgumentException("'%s' needs a number.\n%s".formatted(arg, USAGE), ex);
		}
	}

	private static String content(String arg, @Nullable String value) {
		try {
			return Files.readString(Path.of(text(arg, value)));
		}
		catch (IOException ex) {
			throw new IllegalArgumentException("'%s' names no file that can be read.\n%s".formatted(arg, USAGE), ex);
		}
	}

	private static void print(ConsulServer server, PrintStream out) {
		boolean tls = server.isTls();
		for (int i = 0; i < server.clusterSize(); i++) {
			out.println("http=" + server.httpUri(i));
			if (tls) {
				out.println("https=" + server.httpsUri(i));
			}
		}
		if (tls) {
			out.println("ca=" + server.caCertificate());
		}
		if (server.isAcl()) {
			out.println("token=" + server.managementToken());
		}
		out.println("ready");
		out.flush();
	}

	private static void awaitEnd(InputStream in) {
		try {
			while (in.read() >= 0) {
				// Whatever is typed is of no interest.
				continue;
			}
		}
		catch (IOException ex) {
			// As good as closed.
			return;
		}
	}

}
