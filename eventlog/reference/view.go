package reference

import (
	"fmt"

	"github.com/packetcache/packetcache/eventlog"
)

// View returns eventlog/PacketCache.xml, a custom view of Event Viewer. The
// service control manager logs of starts, stops and crashes of services, with
// the display name as the first insert.
func View() string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<!-- Made from eventlog/catalogue.go by "make generate". In Event Viewer: Action, Import Custom View. -->
<ViewerConfig>
  <QueryConfig>
    <QueryParams>
      <UserQuery />
    </QueryParams>
    <QueryNode>
      <Name>PacketCache</Name>
      <Description>What the PacketCache service reports, and the service control manager about it.</Description>
      <QueryList>
        <Query Id="0" Path="Application">
          <Select Path="Application">*[System[Provider[@Name='%[1]s']]]</Select>
          <Select Path="System">*[System[Provider[@Name='Service Control Manager']]] and *[EventData[Data='%[1]s']]</Select>
        </Query>
      </QueryList>
    </QueryNode>
  </QueryConfig>
</ViewerConfig>
`, eventlog.Source)
}

// forwardingQuery is the query of a subscription that forwards what is worth
// a look: errors, warnings, and all of the category Access. In events of the
// classic API the category is the task (EventSchema, "SystemPropertiesType").
var forwardingQuery = fmt.Sprintf(`<QueryList>
  <Query Id="0" Path="Application">
    <Select Path="Application">*[System[Provider[@Name='%s'] and (Level=2 or Level=3 or Task=%d)]]</Select>
  </Query>
</QueryList>
`, eventlog.Source, eventlog.Access)
