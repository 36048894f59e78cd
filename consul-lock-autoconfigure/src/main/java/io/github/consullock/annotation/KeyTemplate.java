package io.github.consullock.annotation;

import java.lang.reflect.Method;
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
		StringBuilder key = new StringBuilder();
		EvaluationContext context = null;
		for (Expression part : this.parts) {
			if (part instanceof LiteralExpression literal) {
				key.append(literal.getExpressionString());
			}
			else {
				context = (context != null) ? context : context(target, args);
				key.append(evaluate(part, context));
			}
		}
		try {
			return LockOptions.checkKey((context != null) ? encodeSegments(key.toString()) : key.toString());
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

	private String evaluate(Expression part, EvaluationContext context) {
		Object value;
		try {
			value = part.getValue(context);
		}
		catch (RuntimeException ex) {
			// SpEL lets those of the methods it calls through as they are.
			String reason = (ex instanceof EvaluationException) ? ex.getMessage() : ex.toString();
			throw failure("#{" + part.getExpressionString() + "} failed: " + reason, ex);
		}
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
