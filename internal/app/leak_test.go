package app

import (
	"testing"

	"go.uber.org/goleak"

	"tandem/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.AtOnce(8)
	goleak.VerifyTestMain(m)
}
