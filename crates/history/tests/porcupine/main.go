// Judges histories of registers (docs/formats/history.md) by porcupine: a history per paragraph of
// standard input, `ok` or `illegal` per line of standard output.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/anishathalye/porcupine"
)

type event struct {
	Process   int             `json:"process"`
	Type      string          `json:"type"`
	Operation string          `json:"operation"`
	Key       string          `json:"key"`
	Value     json.RawMessage `json:"value"`
}

type input struct {
	operation string
	key       string
	// Of a write; of a compare-and-set, what it expects and what it writes.
	value, expected string
}

type output struct {
	unknown bool
	read    string
}

const nothing = "null"

// A register, and operations whose outcome nobody knows: they return at the end of time, so an order that has them last
// is one in which they had no effect.
func step(state, in, out interface{}) (bool, interface{}) {
	register, asked, answer := state.(string), in.(input), out.(output)
	switch asked.operation {
	case "write":
		return true, asked.value
	case "cas":
		if register == asked.expected {
			return true, asked.value
		}
		return answer.unknown, register
	default:
		return answer.unknown || answer.read == register, register
	}
}

func byKey(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	for _, operation := range history {
		key := operation.Input.(input).key
		parts[key] = append(parts[key], operation)
	}
	var all [][]porcupine.Operation
	for _, part := range parts {
		all = append(all, part)
	}
	return all
}

var model = porcupine.Model{
	Partition: byKey,
	Init:      func() interface{} { return nothing },
	Step:      step,
	Equal:     func(one, other interface{}) bool { return one == other },
}

func asked(of event) input {
	result := input{operation: of.Operation, key: of.Key, value: string(of.Value)}
	if of.Operation == "cas" {
		var both [2]json.RawMessage
		check(json.Unmarshal(of.Value, &both))
		result.expected, result.value = string(both[0]), string(both[1])
	}
	return result
}

// The operations of a history. What failed had no effect.
func operations(events []event) []porcupine.Operation {
	var history []porcupine.Operation
	open := map[int]porcupine.Operation{}
	for time, each := range events {
		if each.Type == "invoke" {
			open[each.Process] = porcupine.Operation{ClientId: each.Process, Input: asked(each), Call: int64(time)}
			continue
		}
		operation := open[each.Process]
		delete(open, each.Process)
		operation.Return = int64(time)
		operation.Output = output{read: string(each.Value)}
		if each.Type == "info" {
			operation.Return, operation.Output = math.MaxInt64, output{unknown: true}
		}
		if each.Type != "fail" {
			history = append(history, operation)
		}
	}
	for _, operation := range open {
		operation.Return, operation.Output = math.MaxInt64, output{unknown: true}
		history = append(history, operation)
	}
	return history
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func judge(events []event) {
	if porcupine.CheckOperations(model, operations(events)) {
		fmt.Println("ok")
	} else {
		fmt.Println("illegal")
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	var events []event
	for lines.Scan() {
		if lines.Text() == "" {
			judge(events)
			events = nil
			continue
		}
		var next event
		check(json.Unmarshal(lines.Bytes(), &next))
		events = append(events, next)
	}
	check(lines.Err())
}
