package cache

import (
	"sync/atomic"
	"time"
)

// bootSync is how often the time since boot is really asked for.
const bootSync = time.Second

// bootClock returns BootTime for frequent use. Asking the system takes a system
// call, which costs not only itself but keeps Go's scheduler on its toes; the
// monotonic clock does without. Between the two lies the time asleep, which
// cannot pass unnoticed for longer than bootSync.
func bootClock() func() int64 {
	start := time.Now()
	var asleep, next atomic.Int64
	return func() int64 {
		awake := int64(time.Since(start))
		if awake >= next.Load() {
			next.Store(awake + int64(bootSync))
			asleep.Store(BootTime() - awake)
		}
		return awake + asleep.Load()
	}
}
