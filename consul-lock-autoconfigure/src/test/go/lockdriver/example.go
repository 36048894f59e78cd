package main

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/consul/api"
)

// tag::session[]

// withSession runs work with a session that is made as Java's are: bound to no health check, with a lock-delay not
// below its TTL.
func withSession(client *api.Client, work func(session string) error) error {
	session, _, err := client.Session().CreateNoChecks(&api.SessionEntry{
		Name:      "orders in Go",
		TTL:       "25s",
		LockDelay: 25 * time.Second,
	}, nil)
	if err != nil {
		return err
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		client.Session().RenewPeriodic("25s", session, nil, done)
	}()
	defer func() {
		close(done) // RenewPeriodic destroys the session
		<-ended
	}()
	return work(session)
}

// end::session[]

// tag::lock[]

// whileLocked runs work while nobody else, in Go or in Java, holds the key. The context of work ends when the lock is
// lost.
func whileLocked(ctx context.Context, client *api.Client, key string,
	work func(ctx context.Context, token uint64) error) error {
	return withSession(client, func(session string) error {
		lock, err := client.LockOpts(&api.LockOptions{Key: key, Session: session, MonitorRetries: 5})
		if err != nil {
			return err
		}
		lost, err := lock.Lock(ctx.Done())
		if err != nil {
			return err
		}
		if lost == nil {
			return ctx.Err()
		}
		defer lock.Unlock()
		token, err := fencingToken(client, key, session)
		if err != nil {
			return err
		}
		held, cancel := untilLost(ctx, lost)
		defer cancel()
		return work(held, token)
	})
}

func untilLost(ctx context.Context, lost <-chan struct{}) (context.Context, context.CancelFunc) {
	held, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-lost:
			cancel()
		case <-held.Done():
		}
	}()
	return held, cancel
}

// end::lock[]

// tag::token[]

// fencingToken is that of the lock which the session holds. To be asked once, right after the lock was acquired: a
// write to the entry raises its index.
func fencingToken(client *api.Client, key, session string) (uint64, error) {
	pair, _, err := client.KV().Get(key, &api.QueryOptions{RequireConsistent: true})
	if err != nil {
		return 0, err
	}
	if pair == nil || pair.Session != session {
		return 0, errors.New("the lock was lost")
	}
	return pair.ModifyIndex, nil
}

// end::token[]

// tag::semaphore[]

// withPermit runs work while it has one of limit permits, which are shared with Java.
func withPermit(ctx context.Context, client *api.Client, prefix string, limit int,
	work func(ctx context.Context) error) error {
	return withSession(client, func(session string) error {
		semaphore, err := client.SemaphoreOpts(&api.SemaphoreOptions{
			Prefix: prefix, Limit: limit, Session: session, MonitorRetries: 5,
		})
		if err != nil {
			return err
		}
		lost, err := semaphore.Acquire(ctx.Done())
		if err != nil {
			return err
		}
		if lost == nil {
			return ctx.Err()
		}
		defer semaphore.Release()
		held, cancel := untilLost(ctx, lost)
		defer cancel()
		return work(held)
	})
}

// end::semaphore[]
