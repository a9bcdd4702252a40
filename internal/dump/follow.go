package dump

import (
	"context"
	"math"
	"time"

	"github.com/packetcache/packetcache/internal/cache"
)

const (
	// followEvery is how long a packet may wait for a client that follows, and how
	// often one that nothing comes for costs a look.
	followEvery = 200 * time.Millisecond
	// lateness is how long after its time a packet may arrive from its interface.
	lateness = time.Second
)

// follow sends what comes after a moment, until the request's end. It takes a desk
// for what there is to send only, so that those who follow keep it from nobody.
func (f *file) follow(ctx context.Context, mark *cache.Mark) error {
	f.d.desks.rest(+1)
	defer f.d.desks.rest(-1)
	look := time.NewTicker(followEvery)
	defer look.Stop()
	for last := false; !last && !f.result.LimitReached; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.req.End:
			last = true
		case <-look.C:
			last = f.over()
		}
		if err := f.catchUp(ctx, mark); err != nil {
			return err
		}
	}
	return nil
}

// catchUp sends what has come since mark, and moves that to now.
func (f *file) catchUp(ctx context.Context, mark *cache.Mark) error {
	at := f.d.desks.tryTake()
	if at == nil {
		var err error
		if at, err = f.d.desks.take(ctx); err != nil {
			return err
		}
	}
	f.d.desks.rest(-1)
	defer f.d.desks.rest(+1)
	defer f.d.desks.leave(at)
	at.reader.BeginAfter(f.req.Query, mark)
	at.reader.Mark(mark)
	err := f.body(ctx, at)
	if missing := at.reader.Missing(); missing > 0 && !f.result.LimitReached {
		f.result.Missing += missing
		f.form.Missed(missing)
	}
	return err
}

// over reports whether all packets up to the query's end have come.
func (f *file) over() bool {
	until := f.req.Query.Until
	return until < math.MaxInt64-int64(lateness) && f.d.now() > until+int64(lateness)
}
