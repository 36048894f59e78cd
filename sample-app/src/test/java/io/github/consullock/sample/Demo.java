package io.github.consullock.sample;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

import io.github.consullock.testserver.ConsulServerException;

/**
 * The demo: two instances of the sample on a real Consul. Started by {@code ./demo}.
 */
public final class Demo {

	private static final Duration RECEIVER = Duration.ofSeconds(20);

	private final DemoSteps steps = new DemoSteps();

	private final Path jar;

	private Demo(Path jar) {
		this.jar = jar;
	}

	/**
	 * Runs the demo, and exits with 0 if all went as it should.
	 * @param args the jar of the sample, and {@code --check} to play the story
	 * @throws InterruptedException if the thread is interrupted
	 */
	public static void main(String[] args) throws InterruptedException {
		List<String> arguments = List.of(args);
		boolean check = arguments.size() == 2 && arguments.get(1).equals("--check");
		if (!check && arguments.size() != 1 || !Files.isRegularFile(Path.of(arguments.get(0)))) {
			System.err.println("Usage: Demo <jar of the sample> [--check], found: " + arguments);
			System.exit(2);
		}
		Demo demo = new Demo(Path.of(arguments.get(0)));
		try {
			System.exit(check ? demo.check() : demo.untilInterrupted());
		}
		catch (ConsulServerException ex) {
			System.err.println(ex.getMessage());
			System.exit(1);
		}
	}

	private int untilInterrupted() throws InterruptedException {
		DemoStage stage = stage(this.steps::print);
		String a = stage.instanceA().address().toString();
		String b = stage.instanceB().address().toString();
		String consul = stage.consulAddress().toString();
		this.steps.print("""

				Consul      %1$s
				Instance A  %2$s  (process %4$d)
				Instance B  %3$s  (process %5$d)
				Both deliver webhooks to one receiver, which takes %6$d s for each. Try, in another terminal:

				  curl -d '{"order": 1}' %2$s/webhooks/slow &
				  curl -d '{"order": 2}' %3$s/webhooks/slow &
				  curl %2$s/deliveries; curl %3$s/deliveries; curl %2$s/instances

				While one delivers, destroy the session that holds the lock, and see the delivery cancelled:

				  session=$(curl -s %1$s/v1/kv/%7$s | sed 's/.*"Session":"\\([^"]*\\)".*/\\1/')
				  curl -X PUT %1$s/v1/session/destroy/$session

				Or kill it (kill -9 %4$d), and see the other one take over within 30 s.
				Ctrl-C ends everything.
				""".formatted(consul, a, b, stage.processA().pid(), stage.processB().pid(), RECEIVER.toSeconds(),
				DemoStage.KEY));
		new CountDownLatch(1).await();
		return 0;
	}

	private int check() {
		DemoStage stage = stage((line) -> {
		});
		List<ProcessHandle> processes = List.of();
		try {
			DemoStory story = new DemoStory(stage, stage.instanceA(), stage.instanceB(), this.steps);
			this.steps.done("Consul listens at %s, instance A at %s, instance B at %s", stage.consulAddress(),
					stage.instanceA().address(), stage.instanceB().address());
			processes = stage.processes();
			story.play();
		}
		catch (Exception | AssertionError ex) {
			if (!stage.isClosed()) {
				tellFailure(stage, ex);
			}
			return 1;
		}
		finally {
			stage.close();
		}
		Optional<ProcessHandle> left = processes.stream().filter(ProcessHandle::isAlive).findAny();
		if (left.isPresent()) {
			this.steps.done("FAILED: process %d is left behind", left.get().pid());
			return 1;
		}
		this.steps.done("All %d processes have ended: the story went as it should", processes.size());
		return 0;
	}

	private DemoStage stage(DemoStage.Log log) {
		this.steps.print("Starting Consul and two instances");
		DemoStage stage = DemoStage.start(this.jar, RECEIVER, log);
		Runtime.getRuntime().addShutdownHook(new Thread(stage::close, "demo-end"));
		return stage;
	}

	private void tellFailure(DemoStage stage, Throwable failure) {
		this.steps.done("FAILED: %s", failure);
		for (StackTraceElement element : failure.getStackTrace()) {
			if (element.getClassName().startsWith(Demo.class.getPackageName())) {
				this.steps.print("\tat " + element);
			}
		}
		this.steps.print("Log of A:\n" + stage.processA().logTail());
		this.steps.print("Log of B:\n" + stage.processB().logTail());
		this.steps.print("Deliveries received: " + stage.receiver().calls());
	}

}
