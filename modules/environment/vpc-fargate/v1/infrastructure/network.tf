data "aws_availability_zones" "all" {
  state = "available"

  # no local zones: they have neither NAT gateways nor all of Fargate
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = slice(sort(data.aws_availability_zones.all.names), 0, 2)

  # a quarter of the network each: two public subnets, then two private ones
  quarters = [for number in range(4) : cidrsubnet(var.environment.inputs.vpc_cidr, 2, number)]

  gateways = { none = 0, single = 1, zonal = 2 }[var.environment.inputs.nat]
}

resource "aws_vpc" "this" {
  cidr_block           = var.environment.inputs.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = local.name }
}

# Nothing is in it, and nothing gets through it: whoever forgets to name a security group has no network.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.name}-unused" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = local.name }
}

resource "aws_subnet" "public" {
  count = 2

  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = local.quarters[count.index]

  tags = { Name = "${local.name}-public-${local.zones[count.index]}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.name}-public" }
}

resource "aws_route" "public" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  count = 2

  route_table_id = aws_route_table.public.id
  subnet_id      = aws_subnet.public[count.index].id
}

resource "aws_subnet" "private" {
  count = 2

  vpc_id            = aws_vpc.this.id
  availability_zone = local.zones[count.index]
  cidr_block        = local.quarters[count.index + 2]

  tags = { Name = "${local.name}-private-${local.zones[count.index]}" }
}

# One a zone, also where both lead to the same gateway: another number of gateways then changes routes, not tables.
resource "aws_route_table" "private" {
  count = 2

  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.name}-private-${local.zones[count.index]}" }
}

resource "aws_route_table_association" "private" {
  count = 2

  route_table_id = aws_route_table.private[count.index].id
  subnet_id      = aws_subnet.private[count.index].id
}

resource "aws_eip" "nat" {
  count      = local.gateways
  depends_on = [aws_internet_gateway.this]

  tags = { Name = "${local.name}-nat-${local.zones[count.index]}" }
}

resource "aws_nat_gateway" "this" {
  count      = local.gateways
  depends_on = [aws_internet_gateway.this]

  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id

  tags = { Name = "${local.name}-${local.zones[count.index]}" }
}

resource "aws_route" "private" {
  count = local.gateways == 0 ? 0 : 2

  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[min(count.index, local.gateways - 1)].id
}
