package io.github.consullock.benchmarks;

import java.net.URI;
import java.util.Set;

/**
 * One way to lock.
 */
interface Contender {

	/** As it stands in the tables. */
	String name();

	/** Of its client, or an empty text if it has none. */
	String version();

	/** On which stores it is measured. */
	Set<StoreKind> stores();

	/**
	 * Gets ready what it takes apart from its store, once.
	 * @throws MissingException if that cannot be had here
	 */
	default void prepare() throws MissingException {
	}

	/**
	 * Whether it can do what an experiment asks for.
	 */
	boolean suits(SideBySide experiment);

	/** Another client of its own, as another process would have. */
	Client join(URI address) throws Exception;

	/**
	 * Starts threads that lock and unlock.
	 */
	default Load start(Shape shape, Store store, String key) throws Exception {
		return new ThreadLoad(this, shape, store, key);
	}

	/**
	 * Holds locks, as many as it can.
	 */
	default Holding hold(int locks, Store store, String key) throws Exception {
		return HoldingProcess.start(this, locks, store, key);
	}

	/**
	 * Gets ready to lose locks.
	 */
	default LossProbe losses(Store store) throws Exception {
		throw new UnsupportedOperationException(name() + " is not told of losses");
	}

}
