package main

import packer "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2023-01-01/client/packer_service"

const (
	oneRun     = "6f8f2c0a-0f43-4f3c-9f0e-0a8c8f5d1b01"
	anotherRun = "6f8f2c0a-0f43-4f3c-9f0e-0a8c8f5d1b02"
)

func walkPublishing(w *walk) {
	getVersion := w.packer.PackerServiceGetVersion
	createBuild := w.packer.PackerServiceCreateBuild
	updateBuild := w.packer.PackerServiceUpdateBuild
	step(w, "a version that is missing", getVersion, &packer.PackerServiceGetVersionParams{
		BucketName: "walk-base", Fingerprint: "base-1",
	})
	opened := step(w, "a version is opened without a template type", w.packer.PackerServiceCreateVersion, &packer.PackerServiceCreateVersionParams{
		BucketName: "walk-base", Body: &versionBody{Fingerprint: "base-1"},
	})
	if opened.Payload.Version != nil {
		w.seen.versionID = opened.Payload.Version.ID
	}
	made := step(w, "a build is opened as running", createBuild, &packer.PackerServiceCreateBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1",
		Body: &buildBody{
			ComponentType: "null.one", PackerRunUUID: oneRun, Status: running, Platform: "aws",
			Labels: map[string]string{"stage": "first"},
		},
	})
	var buildID string
	if made.Payload.Build != nil {
		buildID = made.Payload.Build.ID
	}
	step(w, "the same build is opened again", createBuild, &packer.PackerServiceCreateBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1",
		Body: &buildBody{ComponentType: "null.one", PackerRunUUID: oneRun, Status: unset},
	})
	step(w, "a build of a source but no parent", createBuild, &packer.PackerServiceCreateBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1",
		Body: &buildBody{ComponentType: "null.two", PackerRunUUID: oneRun, Status: unset, SourceExternalIdentifier: "ami-0"},
	})
	step(w, "a build that is missing", w.packer.PackerServiceGetBuild, &packer.PackerServiceGetBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
	})
	step(w, "a build goes on", updateBuild, &packer.PackerServiceUpdateBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: buildID,
		Body: &buildChange{Status: running, PackerRunUUID: oneRun},
	})
	step(w, "a platform is given for another one", updateBuild, &packer.PackerServiceUpdateBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: buildID,
		Body: &buildChange{Status: running, PackerRunUUID: oneRun, Platform: "azure"},
	})
	walkSbomsOfRunning(w, "walk-base", "base-1", buildID)
	step(w, "the last build is done, by another run", updateBuild, &packer.PackerServiceUpdateBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: buildID,
		Body: &buildChange{
			Status: done, PackerRunUUID: anotherRun,
			Artifacts: []*artifactBody{
				{ExternalIdentifier: "ami-walk-1", Region: "eu-west-1"},
				{ExternalIdentifier: "ami-walk-2", Region: "us-east-1"},
			},
			Labels: map[string]string{"git_sha": "c0ffee"},
			Metadata: &buildMetadata{
				Packer: map[string]any{"version": "1.16.0"},
				Vcs:    map[string]any{"git": map[string]any{"ref": "main"}},
				Cicd:   map[string]any{"type": "gitlab"},
			},
		},
	})
	step(w, "a build fails after it was done", updateBuild, &packer.PackerServiceUpdateBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: buildID,
		Body: &buildChange{Status: failed, PackerRunUUID: anotherRun},
	})
	step(w, "a complete version", getVersion, &packer.PackerServiceGetVersionParams{
		BucketName: "walk-base", Fingerprint: "base-1",
	})
	step(w, "builds of a version", w.packer.PackerServiceListBuilds, &packer.PackerServiceListBuildsParams{
		BucketName: "walk-base", Fingerprint: "base-1",
	})
	step(w, "a build", w.packer.PackerServiceGetBuild, &packer.PackerServiceGetBuildParams{
		BucketName: "walk-base", Fingerprint: "base-1", BuildID: buildID,
	})
	publish(w, "a second version", "walk-base", "base-2", &buildChange{
		Artifacts: []*artifactBody{{ExternalIdentifier: "ami-walk-3", Region: "eu-west-1"}},
	})
	step(w, "versions of a bucket", w.packer.PackerServiceListVersions, &packer.PackerServiceListVersionsParams{
		BucketName: "walk-base",
	})
	step(w, "who made an image", w.packer.PackerServiceSearchExternalArtifact, &packer.PackerServiceSearchExternalArtifactParams{
		Body: &searchBody{ExternalIdentifier: "ami-walk-1", Platform: "aws", Region: "eu-west-1"},
	})
	step(w, "an image that nobody made", w.packer.PackerServiceSearchExternalArtifact, &packer.PackerServiceSearchExternalArtifactParams{
		Body: &searchBody{ExternalIdentifier: "ami-nobody"},
	})
}

// Opens a version with one build, and ends it as `last` says: done, unless it says otherwise. Answers the id of the build.
func publish(w *walk, name, bucket, fingerprint string, last *buildChange) string {
	step(w, name+": opened", w.packer.PackerServiceCreateVersion, &packer.PackerServiceCreateVersionParams{
		BucketName: bucket, Body: &versionBody{Fingerprint: fingerprint, TemplateType: hcl2},
	})
	made := step(w, name+": a build", w.packer.PackerServiceCreateBuild, &packer.PackerServiceCreateBuildParams{
		BucketName: bucket, Fingerprint: fingerprint,
		Body: &buildBody{ComponentType: "null.one", PackerRunUUID: oneRun, Status: unset},
	})
	if made.Payload.Build == nil {
		return ""
	}
	if last.Status == nil {
		last.Status = done
	}
	last.Platform, last.PackerRunUUID = "aws", oneRun
	update := w.packer.PackerServiceUpdateBuild
	for _, change := range []*buildChange{{Status: running, PackerRunUUID: oneRun}, last} {
		step(w, name+": "+string(*change.Status), update, &packer.PackerServiceUpdateBuildParams{
			BucketName: bucket, Fingerprint: fingerprint, BuildID: made.Payload.Build.ID, Body: change,
		})
	}
	return made.Payload.Build.ID
}
