package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.SpringProxy;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.AutowireCapableBeanFactory;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.config.SmartInstantiationAwareBeanPostProcessor;
import org.springframework.util.ClassUtils;

/**
 * Has the last word on annotated beans: checks their annotations, puts their advice into
 * order, and refuses what would run without its lock.
 * <p>
 * It has no order, and so comes after all post-processors that have one: those which add
 * advice among them.
 *
 * @since 0.1.0
 */
public final class DistributedLockPostProcessor implements SmartInstantiationAwareBeanPostProcessor,
		SmartInitializingSingleton, InitializingBean, AopInfrastructureBean {

	private static final Log logger = LogFactory.getLog(DistributedLockPostProcessor.class);

	private final DistributedLockAdvisor advisor;

	private final boolean strict;

	private final Set<Class<?>> checked = ConcurrentHashMap.newKeySet();

	/** By the name of the registry, a method that names it. */
	private final Map<String, AnnotatedMethod> registries = new ConcurrentHashMap<>();

	private final Map<String, Object> earlyReferences = new ConcurrentHashMap<>();

	private final Set<String> warned = ConcurrentHashMap.newKeySet();

	private volatile boolean started;

	/**
	 * Creates the post-processor.
	 * @param advisor what locks
	 * @param strict whether a method that no proxy can lock stops the start; if not, it
	 * is a warning, and runs unlocked
	 */
	public DistributedLockPostProcessor(DistributedLockAdvisor advisor, boolean strict) {
		this.advisor = advisor;
		this.strict = strict;
	}

	/**
	 * Reports annotated beans that exist already: nothing has proxied them, and nothing
	 * will.
	 */
	@Override
	public void afterPropertiesSet() {
		ConfigurableListableBeanFactory beanFactory = this.advisor.beanFactory();
		EarlyBeans.annotated(beanFactory).forEach((beanName, bean) -> {
			if (!(bean instanceof SpringProxy)) {
				String[] dependents = beanFactory.getDependentBeans(beanName);
				String culprit = (dependents.length > 0) ? "'" + String.join("', '", dependents) + "' needs"
						: "a BeanFactoryPostProcessor or BeanPostProcessor looks up";
				report(new DistributedLockDefinitionException(ClassUtils.getUserClass(bean), null,
						"was created too early to be locked, since " + culprit + " the bean '" + beanName + "'",
						"Have that one look it up when it is used, by ObjectProvider or @Lazy."));
			}
		});
	}

	@Override
	public @Nullable Object postProcessBeforeInitialization(Object bean, String beanName) {
		Class<?> beanClass = ClassUtils.getUserClass(bean);
		if (isAnnotated(bean, beanClass, beanName)) {
			check(beanClass);
		}
		return bean;
	}

	@Override
	public Object getEarlyBeanReference(Object bean, String beanName) {
		Object target = AopProxyUtils.getSingletonTarget(bean);
		this.earlyReferences.put(beanName, (target != null) ? target : bean);
		verify(bean, beanName);
		return bean;
	}

	@Override
	public @Nullable Object postProcessAfterInitialization(Object bean, String beanName) {
		if (this.earlyReferences.remove(beanName) != bean) {
			verify(bean, beanName);
		}
		return bean;
	}

	/**
	 * Checks that every registry that an annotation names is there. Not before, for it
	 * may have been declared by a bean that did not exist.
	 */
	@Override
	public void afterSingletonsInstantiated() {
		this.started = true;
		this.registries.forEach(this::checkRegistry);
	}

	private boolean isAnnotated(Object bean, Class<?> beanClass, String beanName) {
		return !(bean instanceof AopInfrastructureBean)
				&& !beanName.endsWith(AutowireCapableBeanFactory.ORIGINAL_INSTANCE_SUFFIX)
				&& this.advisor.specs().isAnnotated(beanClass);
	}

	/** What can be told without a proxy, once for each class. */
	private void check(Class<?> beanClass) {
		if (!this.checked.add(beanClass)) {
			return;
		}
		if (!this.advisor.isProxyable(beanClass)) {
			report(ProxyLimits.finalClass(beanClass));
		}
		ProxyLimits.check(beanClass, this::report);
		for (Method method : DistributedLockAnnotations.methods(beanClass)) {
			DistributedLockSpec spec = this.advisor.specs().find(method, beanClass);
			if (spec != null) {
				AnnotatedMethod annotated = new AnnotatedMethod(method, beanClass);
				this.registries.putIfAbsent(spec.registry(), annotated);
				if (this.started) {
					checkRegistry(spec.registry(), annotated);
				}
			}
		}
	}

	private void checkRegistry(String registry, AnnotatedMethod annotated) {
		try {
			this.advisor.registries().beanName(registry);
		}
		catch (IllegalStateException ex) {
			throw new DistributedLockDefinitionException(annotated.beanClass(), annotated.method(),
					"has no registry to lock in: " + ex.getMessage(),
					registry.isEmpty()
							? "Declare exactly one ConsulLockRegistry, mark one as primary, or name one: registry = \"...\"."
							: "Correct registry = \"" + registry
									+ "\": the qualifier or name of a ConsulLockRegistry bean.",
					ex);
		}
	}

	/** That the bean, as others will get it, locks. */
	private void verify(Object bean, String beanName) {
		Class<?> beanClass = ClassUtils.getUserClass(AopUtils.getTargetClass(bean));
		if (!isAnnotated(bean, beanClass, beanName)) {
			return;
		}
		check(beanClass);
		if (bean instanceof Advised proxy) {
			verifyProxy(proxy, beanClass, beanName);
		}
		else if (!(bean instanceof SpringProxy) && this.advisor.isProxyable(beanClass)
				&& ProxyLimits.hasLockable(beanClass)) {
			throw notProxied(beanClass);
		}
	}

	private void verifyProxy(Advised proxy, Class<?> beanClass, String beanName) {
		if (proxy.indexOf(this.advisor) < 0) {
			Object target = AopProxyUtils.getSingletonTarget(proxy);
			if (!(target instanceof SpringProxy)) {
				throw notProxied(beanClass);
			}
			verify(target, beanName);
			return;
		}
		if (!AdviceOrder.arrange(proxy, this.advisor)) {
			throw new DistributedLockDefinitionException(beanClass, null,
					"has a frozen proxy with the lock inside of its transaction, or outside of security, validation or retries",
					"Have proxies created with frozen=false, or transactions with a later order.");
		}
		if (AopUtils.isCglibProxy(proxy)) {
			ProxyLimits.checkClassProxy(beanClass, this::report);
		}
		else if (!DistributedLockAnnotations.isMadeOfInterfaces(beanClass)) {
			ProxyLimits.checkInterfaceProxy(beanClass, proxy.getClass(), this::report);
		}
	}

	private static DistributedLockDefinitionException notProxied(Class<?> beanClass) {
		if (ProxyLimits.isPartOfProxying(beanClass)) {
			return new DistributedLockDefinitionException(beanClass, null,
					"is an aspect, an advisor or advice, which Spring never proxies, so that its calls would run unlocked",
					"Move the annotated methods into another bean, for this one to call.");
		}
		return new DistributedLockDefinitionException(beanClass, null,
				"has no proxy, so that its calls would run unlocked",
				"Check that " + DistributedLockProxyRegistrar.class.getSimpleName()
						+ " is imported, that auto-proxying has no filter that leaves the bean out, and that no"
						+ " BeanPostProcessor needs the bean.");
	}

	private void report(DistributedLockDefinitionException problem) {
		if (this.strict) {
			throw problem;
		}
		if (this.warned.add(problem.getMessage())) {
			logger.warn(problem.getMessage() + " Until then it runs unlocked.");
		}
	}

	/**
	 * Stands for those that name the same registry.
	 *
	 * @param method the method
	 * @param beanClass the class of the bean
	 */
	private record AnnotatedMethod(Method method, Class<?> beanClass) {

	}

}
