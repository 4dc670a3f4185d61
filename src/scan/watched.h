/*
 * watched: where files that are written are scanned: where programs are put that no package manager
 * answers for, and where attackers leave what is to run again.
 */
#pragma once

#include "base/text.h"

bool watched_place(struct text path);
