package io.github.consullock.annotation;

import java.lang.reflect.Method;

import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;

/**
 * A {@link DistributedLock @DistributedLock} that cannot be obeyed, found when the
 * application starts: a method that no proxy can lock, a return type that may not be
 * locked, a key or wait time that is none, a registry that does not exist. Its message is
 * the {@linkplain #description() description} followed by the {@linkplain #action()
 * action}.
 *
 * @since 0.1.0
 */
public final class DistributedLockDefinitionException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private final transient Class<?> beanClass;

	private final transient @Nullable Method method;

	private final String description;

	private final String action;

	/**
	 * Creates the exception.
	 * @param beanClass the class of the annotated bean
	 * @param method the method concerned, or {@code null} if it is the class as a whole
	 * @param problem what is wrong, as the rest of a sentence that starts with the name
	 * of the class or method
	 * @param action what to change, as a full sentence
	 * @param cause what brought it to light, if anything
	 */
	DistributedLockDefinitionException(Class<?> beanClass, @Nullable Method method, String problem, String action,
			@Nullable Throwable cause) {
		super(describe(beanClass, method, problem) + " " + action, cause);
		this.beanClass = beanClass;
		this.method = method;
		this.description = describe(beanClass, method, problem);
		this.action = action;
	}

	DistributedLockDefinitionException(Class<?> beanClass, @Nullable Method method, String problem, String action) {
		this(beanClass, method, problem, action, null);
	}

	private static String describe(Class<?> beanClass, @Nullable Method method, String problem) {
		String subject = (method != null) ? "The @DistributedLock method " + name(method, beanClass)
				: "The @DistributedLock class " + beanClass.getName();
		return subject + " " + problem + ".";
	}

	/**
	 * A method as error messages name it.
	 * @param method the method
	 * @param beanClass the class of the bean that it is called on
	 * @return such as {@code com.example.Orders.ship(long)}
	 */
	static String name(Method method, Class<?> beanClass) {
		StringBuilder name = new StringBuilder(ClassUtils.getQualifiedMethodName(method, beanClass)).append('(');
		Class<?>[] types = method.getParameterTypes();
		for (int i = 0; i < types.length; i++) {
			name.append((i > 0) ? ", " : "").append(types[i].getSimpleName());
		}
		return name.append(')').toString();
	}

	/**
	 * The class of the annotated bean.
	 */
	public Class<?> beanClass() {
		return this.beanClass;
	}

	/**
	 * The method concerned, or {@code null} if it is the class as a whole.
	 */
	public @Nullable Method method() {
		return this.method;
	}

	/**
	 * What is wrong, naming class and method.
	 */
	public String description() {
		return this.description;
	}

	/**
	 * What to change.
	 */
	public String action() {
		return this.action;
	}

}
