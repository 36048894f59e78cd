package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.StringJoiner;

import io.github.consullock.LockOptions;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.context.expression.BeanFactoryResolver;
import org.springframework.context.expression.MethodBasedEvaluationContext;
import org.springframework.core.ParameterNameDiscoverer;
import org.springframework.expression.EvaluationContext;
import org.springframework.expression.EvaluationException;
import org.springframework.expression.Expression;
import org.springframework.expression.TypeLocator;
import org.springframework.expression.common.LiteralExpression;
import org.springframework.expression.spel.ast.Ternary;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.util.ObjectUtils;

/**
 * The key of an annotated method, parsed: plain text and expressions in turn. Immutable.
 */
final class KeyTemplate {

	private final String text;

	private final List<Expression> parts;

	private final Method method;

	private final Class<?> beanClass;

	private final ConfigurableBeanFactory beanFactory;

	private final ParameterNameDiscoverer parameterNames;

	private final KeyText texts;

	private final TypeLocator types;

	KeyTemplate(String text, List<Expression> parts, Method method, Class<?> beanClass,
			ConfigurableBeanFactory beanFactory, ParameterNameDiscoverer parameterNames, KeyText texts,
			TypeLocator types) {
		this.text = text;
		this.parts = List.copyOf(parts);
		this.method = method;
		this.beanClass = beanClass;
		this.beanFactory = beanFactory;
		this.parameterNames = parameterNames;
		this.texts = texts;
		this.types = types;
	}

	/**
	 * The key of one call.
	 * @param target the bean
	 * @param args the arguments of the call
	 * @return a key that {@link LockOptions#checkKey} accepts
	 * @throws IllegalArgumentException if these arguments make no key; the message names
	 * the method, the template and the reason
	 */
	String evaluate(@Nullable Object target, @Nullable Object[] args) {
		return evaluate(target, args, false).get(0);
	}

	/**
	 * The keys of one call: several, where an expression yields a collection or an array,
	 * one for each of its elements.
	 * @param target the bean
	 * @param args the arguments of the call
	 * @return keys that {@link LockOptions#checkKey} accepts; none if the collection is
	 * empty
	 * @throws IllegalArgumentException if these arguments make no keys; the message names
	 * the method, the template and the reason
	 */
	List<String> evaluateEach(@Nullable Object target, @Nullable Object[] args) {
		return evaluate(target, args, true);
	}

	private List<String> evaluate(@Nullable Object target, @Nullable Object[] args, boolean each) {
		List<StringBuilder> keys = List.of(new StringBuilder());
		EvaluationContext context = null;
		boolean several = false;
		for (Expression part : this.parts) {
			if (part instanceof LiteralExpression literal) {
				keys.forEach((key) -> key.append(literal.getExpressionString()));
				continue;
			}
			context = (context != null) ? context : context(target, args);
			Object value = value(part, context);
			if (each && isCollection(value)) {
				if (several) {
					throw failure(
							"#{" + part.getExpressionString() + "} yields a collection, as does an expression"
									+ " before it, and which elements belong together cannot be told; keep one of them",
							null);
				}
				several = true;
				String start = keys.get(0).toString();
				keys = new ArrayList<>();
				for (Object element : toArray(value)) {
					if (element == null) {
						throw failure("an element of what #{" + part.getExpressionString() + "} yields is null", null);
					}
					keys.add(new StringBuilder(start).append(text(part, element)));
				}
			}
			else {
				String text = text(part, value);
				keys.forEach((key) -> key.append(text));
			}
		}
		boolean encode = context != null;
		return keys.stream().map((key) -> check(encode ? encodeSegments(key.toString()) : key.toString())).toList();
	}

	private static boolean isCollection(@Nullable Object value) {
		return value instanceof Collection || ObjectUtils.isArray(value);
	}

	private static @Nullable Object[] toArray(@Nullable Object collection) {
		return (collection instanceof Collection<?> elements) ? elements.toArray()
				: ObjectUtils.toObjectArray(collection);
	}

	private String check(String key) {
		try {
			return LockOptions.checkKey(key);
		}
		catch (IllegalArgumentException ex) {
			throw failure(ex.getMessage(), ex);
		}
	}

	private EvaluationContext context(@Nullable Object target, @Nullable Object[] args) {
		Call call = new Call(this.method.getName(), args, target);
		MethodBasedEvaluationContext context = new MethodBasedEvaluationContext(call, this.method, args,
				this.parameterNames);
		context.setTypeLocator(this.types);
		context.setBeanResolver(new BeanFactoryResolver(this.beanFactory));
		return context;
	}

	private @Nullable Object value(Expression part, EvaluationContext context) {
		try {
			return part.getValue(context);
		}
		catch (RuntimeException ex) {
			// SpEL lets those of the methods it calls through as they are.
			String reason = (ex instanceof EvaluationException) ? ex.getMessage() : ex.toString();
			throw failure("#{" + part.getExpressionString() + "} failed: " + reason, ex);
		}
	}

	private String text(Expression part, @Nullable Object value) {
		if (value == null) {
			throw failure("what #{" + part.getExpressionString() + "} yields cannot be used: it is null. Call with a"
					+ " value, or, if all calls without one may share one lock, write #{" + withDefault(part) + "}",
					null);
		}
		try {
			return KeyEncoding.encode(this.texts.of(value));
		}
		catch (RuntimeException ex) {
			throw failure("what #{" + part.getExpressionString() + "} yields cannot be used: " + ex.getMessage(), ex);
		}
	}

	private static String withDefault(Expression part) {
		String text = part.getExpressionString().strip();
		boolean ternary = part instanceof SpelExpression spel && spel.getAST() instanceof Ternary;
		return (ternary ? "(" + text + ")" : text) + " ?: 'none'";
	}

	private static String encodeSegments(String key) {
		StringJoiner encoded = new StringJoiner("/");
		boolean first = true;
		for (String segment : key.split("/", -1)) {
			encoded.add(KeyEncoding.encodeSegment(segment, first));
			first = false;
		}
		return encoded.toString();
	}

	private IllegalArgumentException failure(@Nullable String reason, @Nullable Exception cause) {
		return new IllegalArgumentException("No lock key for " + this + ": " + reason, cause);
	}

	@Override
	public String toString() {
		return "'" + this.text + "' of " + DistributedLockDefinitionException.name(this.method, this.beanClass);
	}

	/**
	 * What {@code #root} is in a template.
	 *
	 * @param methodName the name of the method
	 * @param args the arguments of the call
	 * @param target the bean
	 */
	@SuppressWarnings("ArrayRecordComponent") // never compared
	record Call(String methodName, @Nullable Object[] args, @Nullable Object target) {

	}

}
