package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;

import org.jspecify.annotations.Nullable;

import org.springframework.core.KotlinDetector;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/**
 * Chooses how methods run under their locks, by what they return.
 */
final class Executions {

	private static final Set<Class<?>> FUTURES = Set.of(CompletableFuture.class, CompletionStage.class, Future.class);

	private static final String FLOW = "kotlinx.coroutines.flow.Flow";

	/** Work that is under way when it is returned. */
	private static final String JOB = "kotlinx.coroutines.Job";

	private static final String RETURN_WHEN_DONE = "Annotate the method that does the work and returns when it is done.";

	private final LockedExecution blocking;

	private final boolean reactor;

	private final boolean coroutines;

	Executions(ActiveTransactions transactions) {
		this.blocking = new BlockingExecution(transactions);
		this.reactor = isPresent("reactor.core.publisher.Flux");
		this.coroutines = this.reactor && isPresent("kotlinx.coroutines.reactor.MonoKt")
				&& isPresent("kotlin.reflect.full.KClasses");
	}

	private static boolean isPresent(String type) {
		// With the eyes of those who adapt reactive types.
		return ClassUtils.isPresent(type, ReactiveAdapterRegistry.class.getClassLoader());
	}

	static boolean isFuture(Class<?> declared) {
		return FUTURES.contains(declared);
	}

	/**
	 * How a method runs under its lock.
	 * @param definition the annotated method
	 * @return how
	 * @throws DistributedLockDefinitionException if a lock cannot cover its work
	 */
	LockedExecution of(Definition definition) {
		Method method = definition.method();
		if (ReturnTypes.isSuspend(method)) {
			return suspending(definition);
		}
		ResolvableType type = ResolvableType.forMethodReturnType(definition.method(), definition.beanClass());
		if (!ReturnTypes.endLater(type)) {
			return this.blocking;
		}
		Class<?> declared = type.resolve(Object.class);
		if (!ReturnTypes.endLater(declared) || holdsWhatEndsLater(type)) {
			throw refusal(definition, type, "and so before its work is done", RETURN_WHEN_DONE);
		}
		if (isFuture(declared)) {
			return new FutureExecution();
		}
		if (Future.class.isAssignableFrom(declared) || CompletionStage.class.isAssignableFrom(declared)) {
			throw refusal(definition, type,
					"and so before its work is done, and no " + declared.getSimpleName()
							+ " can be given to the caller that covers the wait for the lock too",
					"Declare it to return CompletableFuture, CompletionStage or Future.");
		}
		return reactive(definition, type, declared);
	}

	private LockedExecution reactive(Definition definition, ResolvableType type, Class<?> declared) {
		ReactiveAdapter adapter = adapter(declared);
		if (adapter == null) {
			if (!this.reactor && ReturnTypes.isReactive(declared)) {
				throw refusal(definition, type, "which cannot be locked without Reactor",
						"Add io.projectreactor:reactor-core to the class path.");
			}
			if (!this.coroutines && ReturnTypes.isNamed(declared, FLOW)) {
				throw refusal(definition, type, "which cannot be locked without what makes it a publisher",
						"Add kotlinx-coroutines-reactor and kotlin-reflect to the class path.");
			}
			throw refusal(definition, type, "and so before its work is done", RETURN_WHEN_DONE);
		}
		if (adapter.getReactiveType() != declared) {
			throw refusal(definition, type,
					"and so before its work is done, and no " + declared.getSimpleName()
							+ " can be given to the caller that covers the wait for the lock too",
					"Declare it to return " + adapter.getReactiveType().getSimpleName() + ".");
		}
		return new ReactiveExecution(adapter);
	}

	private @Nullable ReactiveAdapter adapter(Class<?> declared) {
		return (this.reactor && !ReturnTypes.isNamed(declared, JOB))
				? ReactiveAdapterRegistry.getSharedInstance().getAdapter(declared) : null;
	}

	/** Spring calls these as publishers, and makes them functions again afterwards. */
	private LockedExecution suspending(Definition definition) {
		if (!this.coroutines || !KotlinDetector.isKotlinType(definition.method().getDeclaringClass())) {
			throw definition.refused(
					"is a suspend function, of which Spring makes a publisher, for which something is missing",
					"Add kotlinx-coroutines-reactor and kotlin-reflect to the class path, or annotate a function"
							+ " that does not suspend.");
		}
		ResolvableType type = ResolvableType.forMethodReturnType(definition.method(), definition.beanClass());
		boolean flow = type.resolve(Object.class).getName().equals(FLOW);
		if (flow ? holdsWhatEndsLater(type) : ReturnTypes.endLater(type)) {
			throw refusal(definition, type, "and so before its work is done",
					"Return the result itself, or a Flow, from the suspend function.");
		}
		String publisher = flow ? "reactor.core.publisher.Flux" : "reactor.core.publisher.Mono";
		ReactiveAdapter adapter = adapter(
				ClassUtils.resolveClassName(publisher, ReactiveAdapterRegistry.class.getClassLoader()));
		if (adapter == null) {
			throw new IllegalStateException("There is no adapter for " + publisher);
		}
		return new ReactiveExecution(adapter);
	}

	private static boolean holdsWhatEndsLater(ResolvableType type) {
		return Arrays.stream(type.getGenerics()).anyMatch(ReturnTypes::endLater);
	}

	private static DistributedLockDefinitionException refusal(Definition definition, ResolvableType type, String why,
			String action) {
		return definition.refused("returns " + type + ", " + why, action);
	}

}
