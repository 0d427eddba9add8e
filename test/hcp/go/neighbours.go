package main

import (
	iam "github.com/hashicorp/hcp-sdk-go/clients/cloud-iam/stable/2019-12-10/client/iam_service"
	older "github.com/hashicorp/hcp-sdk-go/clients/cloud-packer-service/stable/2021-04-30/client/packer_service"
	organizations "github.com/hashicorp/hcp-sdk-go/clients/cloud-resource-manager/stable/2019-12-10/client/organization_service"
	projects "github.com/hashicorp/hcp-sdk-go/clients/cloud-resource-manager/stable/2019-12-10/client/project_service"
	resources "github.com/hashicorp/hcp-sdk-go/clients/cloud-resource-manager/stable/2019-12-10/client/resource_service"
	models "github.com/hashicorp/hcp-sdk-go/clients/cloud-resource-manager/stable/2019-12-10/models"
)

// What Packer and Terraform call beside the registry.
func walkNeighbours(w *walk) {
	step(w, "organizations", w.organizations.OrganizationServiceList, &organizations.OrganizationServiceListParams{})
	step(w, "projects", w.projects.ProjectServiceList, &projects.ProjectServiceListParams{
		ScopeID: &w.organization, ScopeType: to("ORGANIZATION"),
	})
	step(w, "a project", w.projects.ProjectServiceGet, &projects.ProjectServiceGetParams{ID: w.project})
	name := "packer/project/" + w.project + "/bucket/walk-base"
	policy := step(w, "the policy of a bucket", w.resources.ResourceServiceGetIamPolicy, &resources.ResourceServiceGetIamPolicyParams{ResourceName: &name})
	step(w, "the policy of a bucket as it is", w.resources.ResourceServiceSetIamPolicy, &resources.ResourceServiceSetIamPolicyParams{
		Body: &models.HashicorpCloudResourcemanagerResourceSetIamPolicyRequest{ResourceName: name, Policy: policy.Payload.Policy},
	})
	step(w, "principals", w.iam.IamServiceBatchGetPrincipals, &iam.IamServiceBatchGetPrincipalsParams{OrganizationID: w.organization})
	step(w, "a channel as the API of 2021 shows it", w.older.PackerServiceGetChannel, &older.PackerServiceGetChannelParams{
		BucketSlug: "walk-base", Slug: "walked",
	})
	step(w, "an iteration", w.older.PackerServiceGetIteration, &older.PackerServiceGetIterationParams{
		BucketSlug: "walk-base", IterationID: &w.seen.versionID,
	})
	step(w, "an operation of the API of 2021 that is not there", w.older.PackerServiceListBuckets, &older.PackerServiceListBucketsParams{})
}
