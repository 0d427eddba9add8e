package main

import (
	"time"

	"github.com/go-openapi/strfmt"
	operations "github.com/hashicorp/hcp-sdk-go/clients/cloud-operation/stable/2020-05-05/client/operation_service"
	packer "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/client/packer_service"
)

// A child of base-1, and one that is still open.
func walkLineage(w *walk) {
	publish(w, "a child", "walk-child", "child-1", &buildChange{
		Artifacts:                []*artifactBody{{ExternalIdentifier: "ami-child-1", Region: "eu-west-1"}},
		SourceExternalIdentifier: "ami-walk-1",
		ParentVersionID:          w.seen.versionID,
		ParentChannelID:          w.seen.channelID,
	})
	w.seen.buildID = publish(w, "an open child", "walk-child", "child-open", &buildChange{Status: failed})
	step(w, "parents of a bucket", w.packer.PackerServiceListBucketAncestry, &packer.PackerServiceListBucketAncestryParams{
		BucketName: "walk-child", Type: to("ANCESTRY_TYPE_PARENTS"),
	})
	step(w, "children of a bucket", w.packer.PackerServiceListBucketAncestry, &packer.PackerServiceListBucketAncestryParams{
		BucketName: "walk-base", Type: to("ANCESTRY_TYPE_CHILDREN"),
	})
}

func walkRevocations(w *walk) {
	change := func(name, bucket, fingerprint string, body versionChange) *packer.PackerServiceUpdateVersionOK {
		return step(w, name, w.packer.PackerServiceUpdateVersion, &packer.PackerServiceUpdateVersionParams{
			BucketName: bucket, Fingerprint: fingerprint, Body: &body,
		})
	}
	look := func(name, bucket, fingerprint string) {
		step(w, name, w.packer.PackerServiceGetVersion, &packer.PackerServiceGetVersionParams{
			BucketName: bucket, Fingerprint: fingerprint,
		})
	}
	change("a version that is not revoked is restored", "walk-base", "base-1", versionChange{Restore: true})
	change("a date and a time until it", "walk-base", "base-1", versionChange{
		RevokeAt: strfmt.DateTime(time.Now().Add(time.Hour)), RevokeIn: "30d",
	})
	change("a version is completed by hand", "walk-base", "base-1", versionChange{Complete: true})
	scheduled := change("a version is going to be revoked", "walk-base", "base-1", versionChange{
		RevokeIn: "30d", RevocationMessage: "a hole",
	})
	look("a version that is going to be revoked", "walk-base", "base-1")
	id := "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	if scheduled.Payload.Operation != nil {
		id = scheduled.Payload.Operation.ID
	}
	step(w, "the operation of a revocation", w.operations.Get, &operations.GetParams{ID: id})
	step(w, "a wait for an operation", w.operations.Wait, &operations.WaitParams{ID: id, Timeout: to("1s")})
	step(w, "an operation that is missing", w.operations.Get, &operations.GetParams{ID: "01ARZ3NDEKTSV4RRFFQ69G5FAV"})
	change("a schedule is cancelled", "walk-base", "base-1", versionChange{Restore: true})
	revoked := change("a version is revoked now", "walk-base", "base-1", versionChange{
		RevokeAt: strfmt.DateTime(time.Now()), RevocationMessage: "a hole",
	})
	if revoked.Payload.Operation != nil {
		id = revoked.Payload.Operation.ID
	}
	step(w, "a wait for a revocation", w.operations.Wait, &operations.WaitParams{ID: id, Timeout: to("5s")})
	look("a revoked version", "walk-base", "base-1")
	look("a child of a revoked version", "walk-child", "child-1")
	change("an inherited revocation is restored", "walk-child", "child-1", versionChange{Restore: true})
	change("a version is restored", "walk-base", "base-1", versionChange{Restore: true})
	look("a child after it", "walk-child", "child-1")
}
