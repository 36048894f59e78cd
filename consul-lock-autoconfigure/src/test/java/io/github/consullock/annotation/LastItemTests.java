package io.github.consullock.annotation;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import javax.sql.DataSource;

import io.github.consullock.LockListener;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.h2.tools.Server;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Two processes sell the last item of something, each within a transaction that goes on
 * after the item was taken.
 */
@ConsulTest
@Timeout(300)
class LastItemTests {

	private static final int ROUNDS = 5;

	@TempDir
	private Path directory;

	/**
	 * The lock ends with the transaction, so that the second process waits until the
	 * first has committed.
	 */
	@Test
	void theLastItemIsSoldOnceWhereTheLockEndsWithTheTransaction(ConsulServer consul, KeyPrefix prefix)
			throws Exception {
		try (Shops shops = new Shops(this.directory, consul, prefix, "annotated")) {
			for (int item = 0; item < ROUNDS; item++) {
				shops.stock(item);
				Shop first = shops.get(item % 2);
				Shop second = shops.get((item + 1) % 2);
				first.tell("sell " + item);
				first.await("took " + item + " sold");
				second.tell("sell " + item);
				second.await("waiting");
				first.tell("commit");
				first.await("done");
				second.await("took " + item + " none");
				second.tell("commit");
				second.await("done");
				assertThat(shops.sales(item)).isEqualTo(1);
			}
		}
	}

	/** The same, but for a lock that is released when the item was taken. */
	@Test
	void theLastItemIsSoldTwiceWhereTheLockEndsBeforeTheCommit(ConsulServer consul, KeyPrefix prefix) throws Exception {
		try (Shops shops = new Shops(this.directory, consul, prefix, "programmatic")) {
			for (int item = 0; item < ROUNDS; item++) {
				shops.stock(item);
				for (Shop shop : List.of(shops.get(0), shops.get(1))) {
					shop.tell("sell " + item);
					shop.await("took " + item + " sold");
				}
				for (Shop shop : List.of(shops.get(0), shops.get(1))) {
					shop.tell("commit");
					shop.await("done");
				}
				assertThat(shops.sales(item)).isEqualTo(2);
			}
		}
	}

	/** A database that is served to two shops, each a process. */
	private static final class Shops implements AutoCloseable {

		private final Server server;

		private final JdbcClient jdbc;

		private final List<Shop> shops = new ArrayList<>();

		Shops(Path directory, ConsulServer consul, KeyPrefix prefix, String kind) throws Exception {
			this.server = Server
				.createTcpServer("-tcpPort", "0", "-ifNotExists", "-baseDir", directory.toAbsolutePath().toString())
				.start();
			String url = "jdbc:h2:tcp://localhost:" + this.server.getPort() + "/./shop;DB_CLOSE_DELAY=-1";
			this.jdbc = JdbcClient.create(new DriverManagerDataSource(url, "sa", ""));
			this.jdbc.sql("create table stock (item int primary key, amount int not null)").update();
			this.jdbc.sql("create table sale (item int not null, shop bigint not null)").update();
			for (int i = 0; i < 2; i++) {
				this.shops.add(new Shop(url, consul.httpUri().toString(), prefix.value(), kind));
			}
			for (Shop shop : this.shops) {
				shop.await("ready");
			}
		}

		Shop get(int index) {
			return this.shops.get(index);
		}

		void stock(int item) {
			this.jdbc.sql("insert into stock values (?, 1)").param(item).update();
		}

		int sales(int item) {
			return this.jdbc.sql("select count(*) from sale where item = ?").param(item).query(Integer.class).single();
		}

		@Override
		public void close() throws Exception {
			for (Shop shop : this.shops) {
				shop.close();
			}
			this.server.stop();
		}

	}

	/** A process that ends when its input does. */
	private static final class Shop implements AutoCloseable {

		private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

		private final List<String> output = new CopyOnWriteArrayList<>();

		private final Process process;

		private final BufferedWriter input;

		Shop(String... arguments) throws IOException {
			List<String> command = new ArrayList<>(
					List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx192m",
							"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
							ShopProcess.class.getName()));
			command.addAll(List.of(arguments));
			this.process = new ProcessBuilder(command).redirectErrorStream(true).start();
			this.input = this.process.outputWriter(StandardCharsets.UTF_8);
			Thread reader = new Thread(this::read, "shop-" + this.process.pid());
			reader.setDaemon(true);
			reader.start();
		}

		private void read() {
			try (BufferedReader reader = this.process.inputReader(StandardCharsets.UTF_8)) {
				for (String line = reader.readLine(); line != null; line = reader.readLine()) {
					this.output.add(line);
					if (line.startsWith(ShopProcess.ANSWER)) {
						this.answers.add(line.substring(ShopProcess.ANSWER.length()));
					}
				}
			}
			catch (IOException ex) {
				// It has ended.
			}
		}

		void tell(String command) throws IOException {
			this.input.write(command);
			this.input.newLine();
			this.input.flush();
		}

		/** What comes before it is of no interest. */
		void await(String answer) throws InterruptedException {
			List<String> others = new ArrayList<>();
			while (true) {
				String next = this.answers.poll(60, TimeUnit.SECONDS);
				if (answer.equals(next)) {
					return;
				}
				others.add(String.valueOf(next));
				assertThat(next).as("%s, before it: %s, output: %s", answer, others, this.output)
					.isNotNull()
					.doesNotStartWith("took");
			}
		}

		@Override
		public void close() throws Exception {
			this.input.close();
			if (!this.process.waitFor(30, TimeUnit.SECONDS)) {
				this.process.destroyForcibly().onExit().join();
			}
		}

	}

	/** What runs in each of the processes. */
	static final class ShopProcess {

		static final String ANSWER = "> ";

		private ShopProcess() {
		}

		public static void main(String[] args) throws IOException {
			try (ConsulClient client = new PatientClient(URI.create(args[1]));
					AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
					BufferedReader input = new BufferedReader(
							new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
				context.register(LockContext.Locking.class, Transactions.class, Orders.class, Stock.class);
				context.registerBean(DataSource.class, () -> new DriverManagerDataSource(args[0], "sa", ""));
				context.registerBean(ConsulLockRegistry.class,
						() -> ConsulLockRegistry.builder(client)
							.keyPrefix(args[2])
							.waitTime(Duration.ofMinutes(2))
							.listener(new Waiting())
							.build());
				context.refresh();
				answer("ready");
				Runnable untilCommit = () -> {
					if (!"commit".equals(read(input))) {
						throw new IllegalStateException("nobody wants a commit");
					}
				};
				Stream.generate(() -> Objects.toString(read(input), ""))
					.takeWhile((line) -> line.startsWith("sell "))
					.forEach((line) -> {
						int item = Integer.parseInt(line.substring("sell ".length()));
						context.getBean(Orders.class).order(item, args[3].equals("annotated"), untilCommit);
						answer("done");
					});
			}
		}

		private static String read(BufferedReader input) {
			try {
				return input.readLine();
			}
			catch (IOException ex) {
				return "";
			}
		}

		static void answer(String answer) {
			System.out.println(ANSWER + answer);
		}

	}

	static final class Waiting implements LockListener {

		@Override
		public void waiting(String key) {
			ShopProcess.answer("waiting");
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableTransactionManagement
	static class Transactions {

		@Bean
		static CommitCheckPostProcessor commitCheckPostProcessor(ConfigurableListableBeanFactory beanFactory) {
			return new CommitCheckPostProcessor(beanFactory, true);
		}

		@Bean
		JdbcTransactionManager transactionManager(DataSource dataSource) {
			return new JdbcTransactionManager(dataSource);
		}

		@Bean
		JdbcClient jdbcClient(DataSource dataSource) {
			return JdbcClient.create(dataSource);
		}

	}

	static class Orders {

		private final Stock stock;

		private final ConsulLockRegistry registry;

		Orders(Stock stock, ConsulLockRegistry registry) {
			this.stock = stock;
			this.registry = registry;
		}

		@Transactional
		public void order(int item, boolean annotated, Runnable more) {
			boolean sold = annotated ? this.stock.take(item) : takeProgrammatically(item);
			ShopProcess.answer("took " + item + (sold ? " sold" : " none"));
			more.run();
		}

		private boolean takeProgrammatically(int item) {
			try {
				return this.registry.executeLocked("items/" + item, Duration.ofMinutes(2),
						() -> this.stock.takeUnlocked(item));
			}
			catch (Exception ex) {
				throw new IllegalStateException(ex);
			}
		}

	}

	static class Stock {

		private final JdbcClient jdbc;

		Stock(JdbcClient jdbc) {
			this.jdbc = jdbc;
		}

		@DistributedLock("items/#{#item}")
		public boolean take(int item) {
			return takeUnlocked(item);
		}

		public boolean takeUnlocked(int item) {
			int left = this.jdbc.sql(
					"select amount - (select count(*) from sale where sale.item = stock.item) from stock where item = ?")
				.param(item)
				.query(Integer.class)
				.single();
			if (left == 0) {
				return false;
			}
			this.jdbc.sql("insert into sale values (?, ?)").params(item, ProcessHandle.current().pid()).update();
			return true;
		}

	}

}
