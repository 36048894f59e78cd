package io.github.consullock.faults;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.OtherProcess;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;

/**
 * An instance in a process of its own, that holds locks, waits for some and writes under
 * them as it is told, and releases them when it is asked to end.
 */
final class LockProcess {

	static final Duration LONG = Duration.ofMinutes(2);

	/** The shortest that keeps the promises. */
	static final SessionSettings SETTINGS = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	/** After which a crashed holder's lock is to be had. */
	static final Duration AFTER_CRASH = SETTINGS.ttl().multipliedBy(2).plus(SETTINGS.lockDelay());

	private LockProcess() {
	}

	/**
	 * Starts one, ready for commands.
	 */
	static OtherProcess start(URI consul, String prefix) throws IOException, InterruptedException {
		OtherProcess process = new OtherProcess(LockProcess.class, consul.toString(), prefix);
		String answer = process.next();
		if (!answer.equals("ready")) {
			throw new IllegalStateException(answer);
		}
		return process;
	}

	static ConsulLockRegistry registry(ConsulClient client, String prefix) {
		return ConsulLockRegistry.builder(client)
			.keyPrefix(prefix)
			.session(SETTINGS)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	public static void main(String[] args) throws Exception {
		ConsulClient client = new PatientClient(URI.create(args[0]));
		ConsulLockRegistry registry = registry(client, args[1]);
		// As Spring does.
		Runtime.getRuntime().addShutdownHook(new Thread(registry::close));
		Map<String, LockHandle> held = new HashMap<>();
		try (BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
			OtherProcess.answer("ready");
			for (String line = input.readLine(); line != null; line = input.readLine()) {
				String[] words = line.split(" ");
				switch (words[0]) {
					case "hold" -> {
						LockHandle handle = registry.obtain(words[1]).acquire();
						// Its holder ends when it is told to, as a cancelled body does.
						handle.onLost((reason) -> handle.close());
						held.put(words[1], handle);
						OtherProcess.answer(String.valueOf(handle.fencingToken()));
					}
					case "wait" -> {
						registry.obtain(words[1]).acquireAsync();
						OtherProcess.answer("waiting");
					}
					case "look" -> OtherProcess.answer(String.valueOf(held.get(words[1]).isHeld()));
					case "write" -> write(held.get(words[1]), args[1] + words[1], input);
					case "close" -> {
						registry.close();
						OtherProcess.answer("closed");
					}
					default -> throw new IllegalArgumentException(line);
				}
			}
		}
		registry.close();
		client.close();
	}

	/**
	 * Answers when it has looked, and, once it was told to go on, when it has written.
	 */
	private static void write(LockHandle handle, String key, BufferedReader input) throws IOException {
		OtherProcess.answer(handle.isHeld() ? "checked" : "lost");
		input.readLine();
		// A write to something without a fence would be made now.
		String guarded;
		try {
			handle.guardedPut("written-under/" + key, String.valueOf(handle.fencingToken()));
			guarded = "written";
		}
		catch (LockLostException ex) {
			guarded = "refused";
		}
		OtherProcess.answer(guarded + " " + handle.isHeld());
	}

}
