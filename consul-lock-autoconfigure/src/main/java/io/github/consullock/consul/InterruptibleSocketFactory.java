package io.github.consullock.consul;

import java.io.IOException;
import java.net.Proxy;
import java.net.Socket;
import java.nio.channels.SocketChannel;

import org.apache.hc.client5.http.io.DetachedSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Makes sockets whose blocking calls end when the thread is interrupted. A plain
 * {@link Socket} ignores interrupts on platform threads; the adaptor of a
 * {@link SocketChannel} closes its channel and throws.
 */
final class InterruptibleSocketFactory implements DetachedSocketFactory {

	@Override
	public Socket create(@Nullable Proxy socksProxy) throws IOException {
		return SocketChannel.open().socket();
	}

}
