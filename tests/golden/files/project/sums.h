#pragma once
long sums_of(long count);
